import { expect, onTestFinished, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EventStream, type Framing } from "../../../src/http/middleware/event-stream.ts";
import { noteUnread } from "../../../src/http/middleware/unread.ts";
import { createFakeClock } from "../../support/clock.ts";
import { until } from "../../support/until.ts";

/** A stream whose time stands still unless the test moves it. */
function createStream({
  onGone = () => {},
  ...options
}: {
  onGone?: () => void;
  keepAlive?: () => string;
  framing?: Framing;
} = {}) {
  const clock = createFakeClock();
  return { clock, stream: new EventStream({ clock, onGone, ...options }) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function readPieces(response: Response): Promise<string[]> {
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) pieces.push(decoder.decode(piece as Uint8Array));
  return pieces;
}

/** Asks a server that answers with the stream. */
function openCaller(stream: EventStream): Socket {
  const server = Bun.serve({ port: 0, development: false, idleTimeout: 0, fetch: () => stream.started });
  const socket = connect(server.port ?? 0, "127.0.0.1");
  onTestFinished(async () => {
    socket.destroy();
    await server.stop(true);
  });
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return socket;
}

/** Reads on, and counts what it reads. */
function read(socket: Socket): { length(): number } {
  let length = 0;
  socket.on("data", (piece) => {
    length += piece.length;
  });
  socket.resume();
  return { length: () => length };
}

const nextPiece = async (socket: Socket) => String((await once(socket, "data"))[0]);

test("the first event goes out with the head at once, and the later ones of a turn of the event loop as one chunk", async () => {
  const { stream } = createStream();
  const socket = openCaller(stream);
  stream.send("1");
  const first = await nextPiece(socket);
  expect(first).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(first).toEndWith("\r\n\r\n9\r\ndata: 1\n\n\r\n");
  stream.send("2");
  stream.send("3");
  expect(await nextPiece(socket)).toBe("12\r\ndata: 2\n\ndata: 3\n\n\r\n");
});

test("a caller who reads again in time gets everything, and does not count as gone", async () => {
  let gone = 0;
  const { stream } = createStream({ onGone: () => gone++ });
  const socket = openCaller(stream);
  stream.send("first");
  await nextPiece(socket);
  socket.pause();
  const text = "x".repeat(1024 * 1024);
  for (let count = 0; count < 7; count++) {
    stream.send(text);
    await turn();
  }
  const reader = read(socket);
  await until(() => reader.length() > 7 * text.length);
  // What has gone out no longer counts.
  for (let count = 0; count < 7; count++) stream.send(text);
  await until(() => reader.length() > 14 * text.length);
  expect(gone).toBe(0);
  stream.end();
});

test("the connection of a caller who reads too slowly ends without an end of the answer", async () => {
  let gone = 0;
  const { stream, clock } = createStream({ onGone: () => gone++ });
  const socket = openCaller(stream);
  stream.send("first");
  await nextPiece(socket);
  socket.pause();
  const text = "x".repeat(15 * 1024 * 1024);
  stream.send(text);
  await turn();
  // Who reads may need some seconds for an image.
  clock.advance(4_999);
  stream.send("more");
  expect(gone).toBe(0);
  clock.advance(1);
  stream.send("more");
  expect(gone).toBe(1);
  const reader = read(socket);
  await new Promise((resolve) => socket.once("close", resolve).once("error", () => {}));
  expect(reader.length()).toBeLessThan(text.length);
});

test("a caller who does not read is cut off at once when 48 MB wait for them", async () => {
  let gone = 0;
  const { stream } = createStream({ onGone: () => gone++ });
  const socket = openCaller(stream);
  stream.send("first");
  await nextPiece(socket);
  socket.pause();
  for (let count = 0; count < 5 && gone === 0; count++) {
    stream.send("x".repeat(15 * 1024 * 1024));
    await turn();
  }
  expect(gone).toBe(1);
});

test("a caller who reads gets events that are larger than what may wait, also several of one turn", async () => {
  let gone = 0;
  const { stream } = createStream({ onGone: () => gone++ });
  const text = "x".repeat(10 * 1024 * 1024);
  stream.send(text);
  stream.send(text);
  const reader = read(openCaller(stream));
  await until(() => reader.length() > 2 * text.length);
  stream.send(text);
  stream.send(text);
  stream.end();
  await until(() => reader.length() > 4 * text.length);
  expect(gone).toBe(0);
});

test("the events before the body is read are one chunk, and so are those of a later turn, in order", async () => {
  const { stream } = createStream();
  for (const data of ["1", "2", "3"]) stream.send(data);
  const pieces = readPieces(await stream.started);
  await turn();
  stream.send("4");
  stream.send("5", "named");
  stream.end();
  expect(await pieces).toEqual(["data: 1\n\ndata: 2\n\ndata: 3\n\n", "data: 4\n\nevent: named\ndata: 5\n\n"]);
});

test("each of several streams gets its own events, and one that ends in the same turn loses none", async () => {
  const streams = Array.from({ length: 50 }, () => createStream().stream);
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
  const { stream } = createStream();
  stream.end();
  const response = await stream.started;
  expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
    "",
  ]);
  await stream.finished;
});

test("a stream without an event for 15 s begins with a keep-alive, and sends one after every further 15 s of quiet", async () => {
  const { stream, clock } = createStream();
  clock.advance(14_999);
  expect(stream.isStarted).toBe(false);
  clock.advance(1);
  const pieces = readPieces(await stream.started);
  clock.advance(15_000);
  await turn();
  clock.advance(10_000);
  stream.send("1");
  await turn();
  clock.advance(14_999);
  await turn();
  clock.advance(1);
  await turn();
  stream.end();
  const comment = ": keep-alive\n\n";
  expect(await pieces).toEqual([comment, comment, "data: 1\n\n", comment]);
  expect(clock.pending()).toBe(0);
});

test("the keep-alive is the event of the API if it has one", async () => {
  const { stream, clock } = createStream({ keepAlive: () => "event: ping\n\n" });
  clock.advance(15_000);
  stream.end();
  expect(await (await stream.started).text()).toBe("event: ping\n\n");
});

test("a discarded stream sends nothing, and leaves no timer behind", async () => {
  const { stream, clock } = createStream();
  stream.discard();
  await stream.finished;
  expect([stream.isStarted, clock.pending()]).toEqual([false, 0]);
});

const mebibytes = (count: number) => count * 1024 * 1024;

/** An ended stream of which much waits, as its caller does not read. */
async function endUnread({ onGone }: { onGone?: () => void } = {}) {
  const { stream } = createStream(onGone ? { onGone } : {});
  const socket = openCaller(stream);
  stream.send("first");
  await nextPiece(socket);
  socket.pause();
  stream.send("x".repeat(mebibytes(7)));
  await turn();
  stream.end();
  return socket;
}

/** Returns whether all streams together keep so much that another one with a great part of it is cut off. */
function isMuchKept(): boolean {
  let isCut = false;
  const other = { cutOff: () => (isCut = true) };
  noteUnread(other, mebibytes(252));
  noteUnread(other, 0);
  return isCut;
}

test("text that a caller does not read counts toward what all streams may keep, also after the stream's end, until it is read", async () => {
  const socket = await endUnread();
  expect(isMuchKept()).toBe(true);
  const reader = read(socket);
  await until(() => reader.length() > mebibytes(7));
  await until(() => !isMuchKept());
});

test("text of an ended stream no longer counts when its caller has left, who is not gone in the middle of it", async () => {
  let gone = 0;
  const socket = await endUnread({ onGone: () => gone++ });
  expect(isMuchKept()).toBe(true);
  socket.destroy();
  await until(() => !isMuchKept());
  expect(gone).toBe(0);
});

test("an ended stream whose caller does not read is cut off if all streams keep too much", async () => {
  const socket = await endUnread();
  const others = Array.from({ length: 42 }, () => ({ cutOff: () => {} }));
  for (const other of others) noteUnread(other, mebibytes(6));
  for (const other of others) noteUnread(other, 0);
  const reader = read(socket);
  await new Promise((resolve) => socket.once("close", resolve).once("error", () => {}));
  expect(reader.length()).toBeLessThan(mebibytes(7));
});

test("lines have neither names nor comments nor keep-alives, and each is one line", async () => {
  const { clock, stream } = createStream({ framing: "lines" });
  clock.advance(60_000);
  stream.comment("agent=1");
  expect(stream.isStarted).toBe(false);
  stream.send('{"a":1}', "named");
  stream.send('{"b":\n2}\r\n');
  const response = await stream.started;
  clock.advance(60_000);
  stream.end();
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(await response.text()).toBe('{"a":1}\n{"b": 2} \n');
});

test("a line has none of the characters at which Python's readers split lines, and the same text", async () => {
  const { stream } = createStream({ framing: "lines" });
  const text = "a\u0085b\u2028c\u2029d\v\f\u001c\u001d\u001ee\r\n";
  stream.send(JSON.stringify({ text }));
  const response = await stream.started;
  stream.end();
  const sent = await response.text();
  for (const mark of "\r\n\v\f\u001c\u001d\u001e\u0085\u2028\u2029")
    expect(sent.slice(0, -1)).not.toContain(mark);
  expect(JSON.parse(sent)).toEqual({ text });
});
