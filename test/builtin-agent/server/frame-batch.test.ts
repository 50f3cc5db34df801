import { expect, test } from "bun:test";
import { FrameBatch } from "../../../src/builtin-agent/server/frame-batch.ts";

function collect(lengthMax: number) {
  const sent: string[] = [];
  const batch = new FrameBatch((text) => sent.push(text));
  batch.lengthMax = lengthMax;
  return { batch, sent };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("before the server has said that it takes lists, each frame is sent at once", () => {
  const { batch, sent } = collect(0);
  for (const frame of ["{}", '{"a":1}']) batch.send(frame);
  expect(sent).toEqual(["{}", '{"a":1}']);
});

test("the frames of a turn are sent at its end as one list, and a single one as it is", async () => {
  const { batch, sent } = collect(100);
  for (const frame of ["1", "2", "3"]) batch.send(frame);
  expect(sent).toEqual([]);
  await turn();
  batch.send("4");
  await turn();
  expect(sent).toEqual(["[1,2,3]", "4"]);
});

test("no list is longer than the server takes, not by one character, and the order stays", async () => {
  for (let lengthMax = 4; lengthMax < 40; lengthMax++) {
    const { batch, sent } = collect(lengthMax);
    const frames = Array.from({ length: 30 }, (_, index) => `"${"x".repeat(index % 7)}"`);
    for (const frame of frames) batch.send(frame);
    await turn();
    for (const text of sent.filter((sentText) => sentText.startsWith("[")))
      expect(text.length).toBeLessThanOrEqual(lengthMax);
    const read = sent.flatMap((text) => [JSON.parse(text)].flat());
    expect(read).toEqual(frames.map((frame) => JSON.parse(frame)));
  }
});

test("a frame that is as long as a list may be is sent alone, after those that wait", () => {
  const { batch, sent } = collect(10);
  batch.send("1");
  batch.send('"12345678"');
  expect(sent).toEqual(["1", '"12345678"']);
});

test("frames that wait can be sent before the end of the turn, and are not sent twice", async () => {
  const { batch, sent } = collect(100);
  batch.send("1");
  batch.flush();
  await turn();
  expect(sent).toEqual(["1"]);
});
