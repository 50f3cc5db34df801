import { expect, test } from "bun:test";
import { PRINTABLE, printable, printableLines } from "../src/printable.ts";

const HOSTILE: [string, string, string][] = [
  ["a color", "\x1b[31mred", "\\u001b[31mred"],
  ["a window title", "\x1b]0;pwned\x07", "\\u001b]0;pwned\\u0007"],
  ["the one-byte form of a control sequence", "\x9b31m", "\\u009b31m"],
  ["a line of its own", "ok\r\nserver: all is well", "ok\\u000d\\u000aserver: all is well"],
  ["a Unicode line", "ok\u2028x\u2029y\x85z", "ok\\u2028x\\u2029y\\u0085z"],
  ["another direction", "user\u202enimda\u2066x\u061c", "user\\u202enimda\\u2066x\\u061c"],
  ["invisible characters", "ad\u200bmin\ufeff\u00ad", "ad\\u200bmin\\ufeff\\u00ad"],
  ["a tag", "a\u{e0041}", "a\\udb40\\udc41"],
  ["half a character", "a\ud800", "a\\ud800"],
  ["nothing and delete", "a\0b\x7f", "a\\u0000b\\u007f"],
];

test.each(HOSTILE)("a text with %s is shown with escapes, and is not a name", (_, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(printable(shown)).toBe(shown);
  expect(PRINTABLE.test(text)).toBe(false);
  expect(PRINTABLE.test(shown)).toBe(true);
});

test("texts of all languages are shown as they are", () => {
  for (const text of ["", "llama3.2:7b", "Zoë's GPU", "日本語", "שלום", "😀 é", "a\u00a0b"]) {
    expect(printable(text)).toBe(text);
    expect(PRINTABLE.test(text)).toBe(true);
  }
});

test("a JSON text has the same value with escapes", () => {
  const value = HOSTILE.map(([, text]) => ({ [text]: text }));
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});

test("a text of several lines keeps its lines", () => {
  expect(printableLines("a\x1b\nb\r\n")).toBe("a\\u001b\nb\\u000d\n");
});
