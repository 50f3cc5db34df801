import { expect, test } from "bun:test";
import { beforeStreamEnds, createEventStream } from "../../../src/http/middleware/event-stream.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function readPieces(response: Response): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of response.body ?? []) pieces.push(String(piece));
  return pieces;
}

test("the first event goes out at once, and those of one turn of the event loop as one piece, in order", async () => {
  const stream = createEventStream(() => {});
  for (const data of ["1", "2", "3"]) stream.sendData(data);
  const pieces = readPieces(await stream.started);
  await turn();
  stream.sendData("4");
  stream.sendData("5", "named");
  stream.end();
  expect(await pieces).toEqual([
    "data: 1\n\n",
    "data: 2\n\ndata: 3\n\n",
    "data: 4\n\nevent: named\ndata: 5\n\n",
  ]);
});

test("what is held back counts for a caller that reads too slowly, who is taken for gone", async () => {
  let gone = 0;
  let ended = 0;
  const stream = createEventStream(() => gone++);
  const half = "x".repeat(4 * 1024 * 1024);
  stream.sendData(half);
  beforeStreamEnds(await stream.started, () => ended++);
  stream.sendData(half);
  expect([gone, ended]).toEqual([1, 1]);
  stream.sendData("more");
  stream.end();
  expect([gone, ended]).toEqual([1, 1]);
});

test("several streams each get their own, and one that ends in the same turn loses nothing", async () => {
  const streams = Array.from({ length: 50 }, () => createEventStream(() => {}));
  for (let delta = 0; delta < 20; delta++)
    for (const [index, stream] of streams.entries()) stream.sendData(`${index}.${delta}`);
  for (const stream of streams.slice(0, 25)) stream.end();
  await turn();
  for (const stream of streams.slice(25)) stream.end();
  for (const [index, stream] of streams.entries()) {
    const expected = Array.from({ length: 20 }, (_, delta) => `data: ${index}.${delta}\n\n`).join("");
    expect((await readPieces(await stream.started)).join("")).toBe(expected);
  }
});
