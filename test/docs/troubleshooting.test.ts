import { expect, test } from "bun:test";
import { join } from "node:path";
import { ERRORS, type ErrorCode } from "../../src/error-table.ts";
import { readPage, sectionOf, tableRows } from "./pages.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readPage("docs/troubleshooting.md");
const BACKENDS = ["ollama", "llama-cpp", "vllm", "lm-studio", "paid-api"].map(
  (name) => `docs/backends/${name}.md`,
);

/** The texts in which the code has a part of a quoted text: every file of `src`, with its literals joined. */
async function sources(): Promise<string[]> {
  const paths = [...new Bun.Glob("src/**/*.{ts,tsx}").scanSync({ cwd: ROOT })];
  const texts = await Promise.all(paths.map((path) => Bun.file(join(ROOT, path)).text()));
  return texts.map((text) => text.replaceAll(/\\\n\s*/g, "").replaceAll(/"\s*\+\s*"/g, ""));
}

/** Returns the quoted texts of a page's tables: all code in the first cell, without the table of error codes. */
function quotesIn(text: string): string[] {
  const rows = tableRows(text).filter(([first = ""]) => !Object.hasOwn(ERRORS, first.replaceAll("`", "")));
  return rows.flatMap(([first = ""]) => [...first.matchAll(/`([^`]+)`/g)].map(([, quote = ""]) => quote));
}

/** The parts of a text between `…`, which stands for what differs. */
const partsOf = (quote: string) =>
  quote
    .split("…")
    .map((part) => part.trim())
    .filter((part) => part !== "");

test("every error text that the page of troubleshooting quotes is in the code", async () => {
  const files = await sources();
  const quotes = quotesIn(PAGE);
  expect(quotes.length).toBeGreaterThan(60);
  const isThere = (quote: string) =>
    files.some((file) => partsOf(quote).every((part) => file.includes(part)));
  expect(quotes.filter((quote) => !isThere(quote))).toEqual([]);
});

test("every sentence that a page about a backend quotes is in the code", async () => {
  const files = await sources();
  const quotes = BACKENDS.flatMap((page) => quotesIn(readPage(page)));
  const sentences = quotes.filter((quote) => / /.test(quote));
  expect(sentences.length).toBeGreaterThan(5);
  // An address, a number and a name stand for others.
  const wordsOf = (quote: string) => quote.split(/https?:\S+|\d+|found \w+|…/).map((part) => part.trim());
  const isThere = (quote: string) =>
    files.some((file) => wordsOf(quote).every((part) => part === "" || file.includes(part)));
  expect(sentences.filter((quote) => !isThere(quote))).toEqual([]);
});

test("every error code of the page of troubleshooting exists and has the text that the page quotes", () => {
  const rows = tableRows(sectionOf(PAGE, "## A request fails"));
  expect(rows.length).toBeGreaterThan(15);
  for (const [code = "", text = ""] of rows) {
    const row = ERRORS[code.replaceAll("`", "") as ErrorCode];
    expect(row, code).toBeDefined();
    expect([row.message, row.plainMessage], code).toContain(text.replaceAll("`", ""));
  }
});

test("every error code is explained in docs/api.md or on the page of troubleshooting", () => {
  const rows = [...tableRows(readPage("docs/api.md")), ...tableRows(PAGE)];
  const explained = new Set(rows.map(([first = ""]) => first.replaceAll("`", "")));
  expect(Object.keys(ERRORS).filter((code) => !explained.has(code))).toEqual([]);
});
