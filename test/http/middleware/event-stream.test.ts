import { expect, test } from "bun:test";
import { EventStream } from "../../../src/http/middleware/event-stream.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function readPieces(response: Response): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of response.body ?? []) pieces.push(String(piece));
  return pieces;
}

test("the first event goes out at once, and later ones of one turn of the event loop as one chunk, in order", async () => {
  const stream = new EventStream(() => {});
  for (const data of ["1", "2", "3"]) stream.send(data);
  const pieces = readPieces(await stream.started);
  await turn();
  stream.send("4");
  stream.send("5", "named");
  stream.end();
  expect(await pieces).toEqual([
    "data: 1\n\n",
    "data: 2\n\ndata: 3\n\n",
    "data: 4\n\nevent: named\ndata: 5\n\n",
  ]);
});

test("held events count toward the buffer, and a caller who reads too slowly counts as gone", async () => {
  let gone = 0;
  let ended = 0;
  const stream = new EventStream(() => gone++);
  const half = "x".repeat(4 * 1024 * 1024);
  stream.send(half);
  stream.beforeClose(() => ended++);
  stream.send(half);
  expect([gone, ended]).toEqual([1, 1]);
  stream.send("more");
  stream.end();
  expect([gone, ended]).toEqual([1, 1]);
});

test("each of several streams gets its own events, and one that ends in the same turn loses none", async () => {
  const streams = Array.from({ length: 50 }, () => new EventStream(() => {}));
  for (let delta = 0; delta < 20; delta++)
    for (const [index, stream] of streams.entries()) stream.send(`${index}.${delta}`);
  for (const stream of streams.slice(0, 25)) stream.end();
  await turn();
  for (const stream of streams.slice(25)) stream.end();
  for (const [index, stream] of streams.entries()) {
    const expected = Array.from({ length: 20 }, (_, delta) => `data: ${index}.${delta}\n\n`).join("");
    expect((await readPieces(await stream.started)).join("")).toBe(expected);
  }
});

test("a stream that ends without any event becomes an empty response", async () => {
  const stream = new EventStream(() => {});
  stream.end();
  const response = await stream.started;
  expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
    "",
  ]);
  await stream.finished;
});
