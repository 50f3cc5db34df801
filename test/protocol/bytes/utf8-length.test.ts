import { expect, test } from "bun:test";
import { utf8Length } from "../../../src/protocol/bytes/utf8-length.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const seed = chooseSeed();

test(`the length of a text in UTF-8 is that of its bytes, also with lone surrogates (seed ${seed})`, () => {
  const random = createRandom(seed);
  const units = ["a", "\u007f", "\u0080", "é", "\u07ff", "\u0800", "漢", "😀", "\ud83d", "\ude00", "\ud83d"];
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: random.below(20) }, () => random.pick(units)).join("");
    expect(utf8Length(text), JSON.stringify(text)).toBe(new TextEncoder().encode(text).byteLength);
  }
});
