import { expect, test } from "bun:test";
import { AUDIT_ACTIONS } from "../../src/audit-actions.ts";
import { bundlePage } from "../../src/dashboard/bundle.ts";
import english from "../../src/dashboard/texts/en.json";

const ENTRY = new URL("../../src/dashboard/index.html", import.meta.url).pathname;
const files = await bundlePage(ENTRY);
const scripts = files
  .filter(({ name }) => name.endsWith(".js"))
  .map(({ bytes }) => new TextDecoder().decode(bytes))
  .join("\n");

/** Names of the API, which are not keys. */
const ACTIONS: ReadonlySet<string> = new Set(AUDIT_ACTIONS);

/** The keys that the built scripts name otherwise than in the table of what is left. */
const named = new Set([...scripts.matchAll(/"(\w+(?:\.[\w-]+)+)"(?!:")/g)].map(([, key = ""]) => key));

test("the built page has the texts in place of their keys, and a table of those that it puts together", () => {
  const has = (text: string) => scripts.includes(text);
  expect(has(JSON.stringify(english["signIn.key.hint"]))).toBe(true);
  expect(has("signIn.key.hint")).toBe(false);
  // The first of two values, before a colon as the name of a property would be.
  expect(has('"try.model"')).toBe(false);
  expect(has('"format.ago.min":')).toBe(true);
});

test("every key that the built page still names has its text in the table", () => {
  const without = Object.keys(english).filter((key) => {
    const start = key.replace(/\.(one|other)$/, "");
    const isNamed = [key, start].some((name) => named.has(name) && !ACTIONS.has(name));
    return isNamed && !scripts.includes(`${JSON.stringify(key)}:`);
  });
  expect(without).toEqual([]);
});

test("the built page is the same with a translation, except for its texts", async () => {
  const marked = Object.fromEntries(Object.entries(english).map(([key, text]) => [key, `<${text}>`]));
  const translated = await bundlePage(ENTRY, marked);
  expect(translated).toHaveLength(files.length);
  const all = translated.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  const missing = Object.values(english).filter(
    (text) => !all.includes(JSON.stringify(`<${text}>`).slice(1, -1)),
  );
  expect(missing).toEqual([]);
});
