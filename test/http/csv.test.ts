import { expect, test } from "bun:test";
import { toCsv } from "../../src/http/csv.ts";
import { printable } from "../../src/printable.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { readCsv } from "../support/read-csv.ts";

test("lines end and fields are quoted as in RFC 4180", () => {
  const rows = [
    ["plain", 5, null],
    ['say "hi", twice', "it's", -1.5],
  ];
  expect(toCsv(rows)).toBe('plain,5,\r\n"say ""hi"", twice","it\'s",-1.5\r\n');
});

test.each([
  "=1+1",
  '=HYPERLINK("http://evil.example","x")',
  "+1",
  "-1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  "\n=1",
  "  =1",
  "\t",
  "\uff1d1+1",
])("a text that a spreadsheet may run, %j, becomes one that it shows", (text) => {
  expect(readCsv(toCsv([[text]]))).toEqual([[`'${printable(text)}`]]);
});

test("a text cannot control a terminal, begin a line, or change the direction of text", () => {
  const text = "\x1b[31mred\r\n2026-11-23,0,0\u202egnp";
  const shown = String.raw`\u001b[31mred\u000d\u000a2026-11-23,0,0\u202egnp`;
  expect(toCsv([[text, 1]])).toBe(`"${shown}",1\r\n`);
});

test("a text that only resembles a formula is unchanged", () => {
  for (const text of ["gpt-4o", "a=b", "llama3.2:7b", "org/model+x", "", "'quoted'"])
    expect(readCsv(toCsv([[text, "x"]]))).toEqual([[text, "x"]]);
});

const seed = chooseSeed();
test(`any written table is read back unchanged, but for escapes (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const letters = ["a", "=", '"', ",", "\r", "\n", "'", "é", "-", " ", "😀"];
  const word = () => Array.from({ length: random.below(6) }, () => random.pick(letters)).join("");
  for (let round = 0; round < 2_000; round++) {
    const rows = Array.from({ length: 1 + random.below(3) }, () => [word(), word(), "end"]);
    const read = readCsv(toCsv(rows));
    // Escapes and a leading apostrophe are the only allowed changes.
    const isSame = (text: string, at: number, line: number) => {
      const shown = printable(rows[line]?.[at] ?? "");
      return text === shown || text === `'${shown}`;
    };
    expect(read.map((row, line) => row.every((text, at) => isSame(text, at, line)))).toEqual(
      rows.map(() => true),
    );
    expect(read.flat().filter((text) => /^[=+\-@\t\r\n]/.test(text))).toEqual([]);
  }
});
