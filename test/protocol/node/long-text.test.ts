import { expect, test } from "bun:test";
import { checkFrame, readFrames } from "../../../src/protocol/node/check.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { isLong, writeLong } from "../../../src/protocol/node/long-text.ts";

const TEXT = `"quoted"\n\u0000 é 😀 ${"x".repeat(100)}`;
const FRAMES: NodeFrame[] = [
  { kind: "delta", slot: "s", data: TEXT, event: "e" },
  { kind: "again", slot: "s", body: TEXT },
  { kind: "done", slot: "s", answer: { kind: "model", status: 200, body: TEXT } },
  {
    ...{ kind: "run", slot: "s", model: "m", origin: { request_id: "r", surface: "x" } },
    what: { endpoint: "messages", stream: true, body: TEXT },
  },
];

test("a frame with a long text comes back as it was", () => {
  for (const frame of FRAMES) {
    const text = writeLong(frame, 100) ?? "";
    expect(isLong(text)).toBe(true);
    expect(readFrames(text)?.map(checkFrame)).toEqual([frame]);
    expect(writeLong(frame, 1_000)).toBeUndefined();
  }
});

test("a text that has no UTF-8 stays in the JSON", () => {
  expect(writeLong({ kind: "again", slot: "s", body: `${TEXT}\ud800` }, 100)).toBeUndefined();
});

test("frames without a long text, and other texts, are not taken for one", () => {
  const short: NodeFrame[] = [
    { kind: "give", slot: "s".repeat(128) },
    { kind: "again", slot: "s" },
  ];
  for (const frame of short) expect(writeLong(frame, 0)).toBeUndefined();
  const texts = ["\n", "\n\n", "\n{}", "\n{}\nx", "\n[]\nx", "\n{\nx", '\n{"kind":"give","slot":"s"}\nx'];
  for (const text of [...texts, '\n{"kind":"run","what":null}\nx']) expect(readFrames(text)).toBeUndefined();
  expect(readFrames('\n{"kind":"delta"}\nx')?.map(checkFrame)).toEqual(["malformed"]);
});
