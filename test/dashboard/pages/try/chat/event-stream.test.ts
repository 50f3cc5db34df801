import { expect, test } from "bun:test";
import { readEventData } from "../../../../../src/dashboard/pages/try/chat/event-stream.ts";

const encoder = new TextEncoder();

async function readParts(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<string[]> {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  return await Array.fromAsync(readEventData(body));
}

test.each([
  ["line feeds", "data: one\n\ndata: two\ndata: lines\n\n: comment\n\ndata:\n\ndata: [DONE]\n\n"],
  [
    "CRLF line ends",
    "data: one\r\n\r\ndata: two\r\ndata: lines\r\n\r\n: comment\r\n\r\ndata:\r\n\r\ndata: [DONE]\r\n\r\n",
  ],
  ["carriage returns", "data: one\r\rdata: two\rdata: lines\r\r: comment\r\rdata\r\rdata: [DONE]\r\r"],
  [
    "other fields",
    "id: 1\nevent: x\ndata: one\nretry: 5\n\ndata:two\ndata: lines\n\ndata:\n\ndata:[DONE]\n\n",
  ],
  ["no blank line at the end", "data: one\n\ndata: two\ndata: lines\n\ndata:\n\ndata: [DONE]"],
])("a stream with %s yields the same events wherever it is cut", async (_name, text) => {
  const bytes = encoder.encode(text);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const parts = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
      expect(await readParts(parts)).toEqual(["one", "two\nlines", "", "[DONE]"]);
    }
  }
});

test("characters of several bytes survive a cut between their bytes", async () => {
  const bytes = encoder.encode("data: naïve 🙂\n\n");
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(await readParts([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(["naïve 🙂"]);
});

test("an event is yielded as soon as it is complete, even if its last line end is cut in two", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const events = readEventData(readable);
  const write = (text: string) => void writer.write(encoder.encode(text));
  write("data: one\r\n\r");
  expect(await events.next()).toEqual({ done: false, value: "one" });
  write("\ndata: two\n");
  write("\n");
  expect(await events.next()).toEqual({ done: false, value: "two" });
  void writer.close();
  expect((await events.next()).done).toBe(true);
});
