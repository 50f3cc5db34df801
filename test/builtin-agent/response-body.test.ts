import { describe, expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../src/builtin-agent/http-upstream.ts";
import { ResponseBody } from "../../src/builtin-agent/response-body.ts";
import { runAsk } from "../../src/builtin-agent/running-asks.ts";
import { createFakeClock } from "../support/clock.ts";
import { collectFrames } from "./start.ts";

/** Returns a body of these pieces, under a content type. */
function bodyOf(pieces: readonly (string | Uint8Array)[], type: string): ResponseBody {
  const stream = new ReadableStream({
    start(controller) {
      for (const piece of pieces)
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      controller.close();
    },
  });
  return new ResponseBody(new Response(stream, { headers: { "content-type": type } }));
}

async function textOf(body: ResponseBody): Promise<string> {
  return (await body.text(Number.POSITIVE_INFINITY)) ?? "";
}

const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";

describe("whether a body is a stream of events", () => {
  test.each<[boolean, string, readonly (string | Uint8Array)[]]>([
    [true, JSON_TYPE, ["data: 1\n\n"]],
    [true, "text/plain; charset=utf-8", ["event: message_start\ndata: 1\n\n"]],
    [true, "", ["id: 1\n"]],
    [true, "application/octet-stream", ["retry: 10\n"]],
    [true, JSON_TYPE, [": waiting\n\n", "data: 1\n\n"]],
    [true, JSON_TYPE, ["\r\n\n", "d", "at", "a: 1\n\n"]],
    [true, JSON_TYPE, [new Uint8Array([0xef, 0xbb]), new Uint8Array([0xbf]), "data: 1\n\n"]],
    [true, EVENTS, ["data: 1\n\n"]],
    [true, EVENTS, ["unknown: 1\n\n"]],
    [true, EVENTS, []],
    [false, JSON_TYPE, ['{"data": 1}']],
    [false, EVENTS, ['\ufeff {"choices": []}']],
    [false, EVENTS, ["[1]"]],
    [false, "text/html", ["<html>data: 1</html>"]],
    [false, "text/plain", ["dat"]],
    [false, JSON_TYPE, []],
    [false, JSON_TYPE, ["\n".repeat(2000), "data: 1\n\n"]],
  ])("it is %p for %s and %j, and the body is still whole", async (expected, type, pieces) => {
    const body = bodyOf(pieces, type);
    expect(await body.isEventStream()).toBe(expected);
    expect(await textOf(body)).toBe(await textOf(bodyOf(pieces, type)));
  });

  test("a body is not looked at further than necessary", async () => {
    let pulled = 0;
    const stream = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new TextEncoder().encode(" ".repeat(100)));
      },
    });
    const body = new ResponseBody(new Response(stream));
    expect(await body.isEventStream()).toBe(false);
    expect(pulled).toBeLessThan(20);
    await body.cancel();
  });
});

test("a body is read unchanged, with its byte order mark, and no further than allowed", async () => {
  const read = (text: string) => new ResponseBody(new Response(text)).text(100);
  expect(await read("\ufeff{}\n")).toBe("\ufeff{}\n");
  expect(await read("x".repeat(101))).toBeUndefined();
  expect(await read("x".repeat(100))).toHaveLength(100);
});

describe("a body whose length is known", () => {
  /** Returns the body of a response that is sent in these bytes. */
  async function bodyOfBytes(head: string, body: string | Uint8Array): Promise<ResponseBody> {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), Buffer.from(body)]));
          socket.end();
        },
      },
    });
    onTestFinished(() => server.stop(true));
    return new ResponseBody(await fetch(`http://127.0.0.1:${server.port}`));
  }

  test("a body with a length is read unchanged, and leaves nothing of its request", async () => {
    const body = await bodyOfBytes("Content-Length: 5", "\ufeff{}");
    expect([await body.text(100), body.isComplete]).toEqual(["\ufeff{}", true]);
  });

  test("a body is read no further than allowed, whatever its length says", async () => {
    const text = "x".repeat(1000);
    const zipped = Bun.gzipSync(text);
    const chunked = `3e8\r\n${text}\r\n0\r\n\r\n`;
    const bodies = [
      await bodyOfBytes("Content-Length: 1000", text),
      await bodyOfBytes(`Content-Encoding: gzip\r\nContent-Length: ${zipped.length}`, zipped),
      await bodyOfBytes("Transfer-Encoding: chunked\r\nContent-Length: 10", chunked),
    ];
    for (const body of bodies) expect(await body.text(100)).toBeUndefined();
  });

  test("a body that is shorter than its length is an error", async () => {
    const body = await bodyOfBytes("Content-Length: 5", "{}");
    await expect(body.text(100)).rejects.toThrow();
  });

  test("a body with a length is still whole after its beginning was looked at", async () => {
    const body = await bodyOfBytes("Content-Length: 10\r\nContent-Type: text/event-stream", '{"a": "b"}');
    expect([await body.isEventStream(), await body.text(100)]).toEqual([false, '{"a": "b"}']);
  });
});

describe("an answer to a request to stream", () => {
  const answer = async (text: string, type: string) => {
    const { frames, sender } = collectFrames();
    const response = async () => new Response(text, { headers: { "content-type": type } });
    const upstream = {
      ...createHttpUpstream({ url: "http://127.0.0.1:9", models: [], endpoints: [] }),
      request: response,
    };
    const ask = { type: "ask", ask: "1", stream: true, body: "{}", deadline_ms: 1000 } as const;
    await runAsk({
      ask: { ...ask, endpoint: "chat/completions" },
      upstream,
      server: sender,
      clock: createFakeClock(),
      stopping: new AbortController(),
    });
    return frames;
  };

  test.each([
    "text/plain; charset=utf-8",
    "application/json",
    "application/octet-stream",
    "text/event-stream",
  ])("events under the content type %s are passed on as events", async (type) => {
    expect(await answer("data: 1\n\ndata: [DONE]\n\n", type)).toMatchObject([
      { type: "delta", data: "1" },
      { type: "delta", data: "[DONE]" },
      { type: "done", status: 200 },
    ]);
  });

  test.each(["application/json", "text/event-stream"])(
    "JSON under the content type %s stays JSON",
    async (type) => {
      expect(await answer('\ufeff{"choices":[{}]}', type)).toMatchObject([
        { type: "done", status: 200, body: '{"choices":[{}]}' },
      ]);
    },
  );
});
