import { describe, expect, test } from "bun:test";
import { LineReader } from "../../src/builtin-agent/lines.ts";
import { chooseSeed, createRandom } from "../support/random.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const seed = chooseSeed();

describe("lines", () => {
  test.each([
    ["complete lines", '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}'], undefined],
    ["CRLF and empty lines", '\n{"a":1}\r\n\r\n', ['{"a":1}'], undefined],
    ["a last line without its end", '{"a":1}\n{"b"', ['{"a":1}'], '{"b"'],
    ["nothing", "", [], undefined],
  ])("a reader of lines returns %s", (_, text, lines, last) => {
    const reader = new LineReader(1000);
    expect(reader.push(bytes(text)).map(({ data }) => data)).toEqual(lines);
    expect(reader.end()?.data).toBe(last);
  });

  test(`a reader of lines returns the same lines wherever the bytes are cut (seed ${seed})`, () => {
    const random = createRandom(seed);
    const lines = Array.from({ length: 50 }, (_, at) =>
      JSON.stringify({ at, text: "日本語 👩‍🔬 é".repeat(at % 4) }),
    );
    const all = bytes(`${lines.join("\n")}\n`);
    for (let times = 0; times < 20; times++) {
      const reader = new LineReader(1000);
      const found: string[] = [];
      for (let at = 0; at < all.length; ) {
        const length = 1 + random.below(9);
        found.push(...reader.push(all.subarray(at, at + length)).map(({ data }) => data));
        at += length;
      }
      expect(found).toEqual(lines);
    }
  });

  test("a line that is too long is an overflow, whole or in pieces, after which no line follows", () => {
    const whole = new LineReader(10);
    expect(whole.push(bytes(`{"a":"${"x".repeat(20)}"}\n{}\n`))).toEqual([]);
    expect([whole.overflow, whole.push(bytes("{}\n")), whole.end()]).toEqual([true, [], undefined]);
    const pieces = new LineReader(10);
    pieces.push(bytes("xxxxxxxx"));
    expect(pieces.overflow).toBe(false);
    pieces.push(bytes("xxxxxxxx"));
    expect(pieces.overflow).toBe(true);
  });
});
