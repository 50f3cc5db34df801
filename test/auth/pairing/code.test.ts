import { expect, test } from "bun:test";
import { newCode, readCode, showCode } from "../../../src/auth/pairing/code.ts";

test("a pairing code has 8 characters that nobody takes for another, and is shown in two halves", () => {
  const codes = Array.from({ length: 2000 }, newCode);
  for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{8}$/);
  expect(new Set(codes).size).toBe(codes.length);
  // Every character of the alphabet occurs at every place.
  for (let place = 0; place < 8; place++) expect(new Set(codes.map((code) => code[place])).size).toBe(32);
  expect(showCode("7F4KQ2PX")).toBe("7F4K-Q2PX");
});

test.each([
  ["7F4K-Q2PX", "7F4KQ2PX"],
  [" 7f4k q2px ", "7F4KQ2PX"],
  ["7f-4k-q2-px", "7F4KQ2PX"],
  ["oil0-OIL1", "01100111"],
  ["7F4K-Q2P", undefined],
  ["7F4K-Q2PX9", undefined],
  ["7F4K-Q2PU", undefined],
  ["7F4K_Q2PX", undefined],
  ["７F4KQ2PX", undefined],
  ["", undefined],
])("the text %j is read as the code %j", (text, code) => {
  expect(readCode(text)).toBe(code as string);
});
