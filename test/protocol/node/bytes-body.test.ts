import { expect, test } from "bun:test";
import { PIECE_BYTES_MAX } from "../../../src/protocol/bytes/window.ts";
import { writeBytesHead } from "../../../src/protocol/node/bytes-body.ts";
import { checkFrame, readBody, readFrames } from "../../../src/protocol/node/check.ts";
import type { FrameOf } from "../../../src/protocol/node/frames.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const seed = chooseSeed();
const bodyOf = (head: string, data: Uint8Array) => Buffer.concat([Buffer.from(head), data]);

test(`bytes of any value and length come back as they were, after the id of any slot (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let at = 0; at < 300; at++) {
    const length = 1 + random.below(random.pick([3, 300, PIECE_BYTES_MAX]));
    const data = Uint8Array.from({ length }, () => random.below(256));
    const slot = random.pick(["s", "\n", '"\\', "é😀", "\u0000".repeat(128)]);
    const frame: FrameOf<"bytes"> = { kind: "bytes", slot, data };
    const [read, ...others] = readBody(bodyOf(writeBytesHead(frame), data)) ?? [];
    expect([checkFrame(read), others], `seed ${seed}`).toEqual([{ kind: "bytes", slot, data }, []]);
  }
});

test("a body that only looks like a frame with bytes is refused", () => {
  const data = Uint8Array.of(1, 0x0a, 255);
  const heads = ["\n", "\n\n", "\n{}\n", "\n[]\n", "\nnull\n", "\n{\n", '\n{"kind":"delta","slot":"s"}\n'];
  const long = `\n${JSON.stringify({ kind: "bytes", slot: "s", more: "x".repeat(1024) })}\n`;
  for (const head of [...heads, '\n{"kind":"give","slot":"s"}\n', long])
    expect(readBody(bodyOf(head, data)), head).toBeUndefined();
  for (const fields of [{}, { slot: "" }, { slot: 1 }, { slot: "x".repeat(129) }]) {
    const head = `\n${JSON.stringify({ kind: "bytes", ...fields })}\n`;
    expect(readBody(bodyOf(head, data))?.map(checkFrame), head).toEqual(["malformed"]);
  }
  const head = '\n{"kind":"bytes","slot":"s","data":"x"}\n';
  for (const size of [0, PIECE_BYTES_MAX + 1])
    expect(readBody(bodyOf(head, new Uint8Array(size)))?.map(checkFrame)).toEqual(["malformed"]);
  const most = readBody(bodyOf(head, new Uint8Array(PIECE_BYTES_MAX)))?.map(checkFrame);
  expect(most).toEqual([{ kind: "bytes", slot: "s", data: expect.any(Uint8Array) }]);
});

test("JSON and the text of a large frame cannot bring bytes", () => {
  const frame = { kind: "bytes", slot: "s", data: "x" };
  for (const data of ["x", [1], { 0: 1, byteLength: 1 }, null])
    expect(readFrames(JSON.stringify([{ ...frame, data }]))?.map(checkFrame)).toEqual(["malformed"]);
  expect(readFrames('\n{"kind":"bytes","slot":"s"}\nx')).toBeUndefined();
});

test("a frame keeps its bytes when the message is freed", () => {
  const body = Buffer.from(
    bodyOf(writeBytesHead({ kind: "bytes", slot: "s", data: Buffer.of() }), Uint8Array.of(1, 2)),
  );
  const [read] = readBody(body) ?? [];
  body.fill(0);
  expect(read).toMatchObject({ data: Uint8Array.of(1, 2) });
});
