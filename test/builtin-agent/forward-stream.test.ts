import { describe, expect, test } from "bun:test";
import { forwardStream } from "../../src/builtin-agent/forward-stream.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";
import { collectFrames } from "./start.ts";

/** Returns a response whose body the test writes. */
function writable() {
  const { readable, writable: sink } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = sink.getWriter();
  return {
    response: new Response(readable, { headers: { "content-type": "text/event-stream" } }),
    write: (text: string) => void writer.write(new TextEncoder().encode(text)),
    close: () => void writer.close(),
    fail: () => void writer.abort(new Error("reset")).catch(() => {}),
  };
}

function forward(response: Response, { frames, sender } = collectFrames()) {
  const clock = createFakeClock();
  const stopping = new AbortController();
  const end = forwardStream(response, {
    ask: "1",
    server: sender,
    clock,
    signal: stopping.signal,
    begin: () => {},
  });
  const data = () => frames.flatMap((frame) => (frame.type === "delta" ? [frame.data] : []));
  return { end, clock, stopping, data };
}

describe("the end of a stream", () => {
  test("a stream is complete if its end mark lacks only the blank line", async () => {
    const { end, data } = forward(new Response("data: a\n\ndata: [DONE]"));
    expect(await end).toEqual({ type: "done", status: 200 });
    expect(data()).toEqual(["a", "[DONE]"]);
  });

  test("a stream is torn if another event lacks its blank line, and that event is not sent", async () => {
    const { end, data } = forward(new Response('data: a\n\ndata: {"choices":[{"finish_rea'));
    expect(await end).toMatchObject({ type: "fail", retryable: false });
    expect(data()).toEqual(["a"]);
  });

  test("a stream ends with its last event, whether its body ends or not", async () => {
    const { response, write } = writable();
    const { end, clock, data } = forward(response);
    write("data: [DONE]\n\n");
    expect(await end).toEqual({ type: "done", status: 200 });
    expect([data(), clock.pending()]).toEqual([["[DONE]"], 0]);
  });

  test("nothing is sent after the last event, even if it came in the same piece", async () => {
    const { end, data } = forward(new Response("data: a\n\ndata: [DONE]\n\ndata: b\n\ndata: [DONE]\n\n"));
    expect(await end).toEqual({ type: "done", status: 200 });
    expect(data()).toEqual(["a", "[DONE]"]);
  });

  const finish = (index = 0) => `data: {"choices":[{"index":${index},"finish_reason":"stop"}]}\n\n`;

  test("a stream that is silent for 10 s after its finish reason has ended well, and not before", async () => {
    const { response, write } = writable();
    const { end, clock, data } = forward(response);
    write(finish());
    await until(() => data().length === 1);
    clock.advance(9_999);
    write('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n');
    await until(() => data().length === 2);
    clock.advance(9_999);
    expect(clock.pending()).toBe(1);
    clock.advance(1);
    expect(await end).toEqual({
      type: "done",
      status: 200,
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    });
    expect(clock.pending()).toBe(0);
  });

  test("a stream of which another choice goes on has no such limit, and is torn if that choice has no end", async () => {
    const { response, write, close } = writable();
    const { end, clock, data } = forward(response);
    write('data: {"choices":[{"index":1,"delta":{"content":"x"}}]}\n\n');
    write(finish());
    await until(() => data().length === 2);
    expect(clock.pending()).toBe(0);
    close();
    expect(await end).toMatchObject({ type: "fail", retryable: false });
  });

  test("a stream that breaks before its first event rejects, and an empty one is a retryable failure", async () => {
    const { response, fail } = writable();
    const { end } = forward(response);
    fail();
    await expect(end).rejects.toThrow("reset");
    expect(await forward(new Response("")).end).toMatchObject({ type: "fail", retryable: true });
  });

  test("a stream that is reset after its end mark is complete", async () => {
    const { response, write, fail } = writable();
    const { end, data } = forward(response);
    write('data: {"choices":[{"finish_reason":"stop"}]}\n\n');
    await until(() => data().length === 1);
    fail();
    expect(await end).toEqual({ type: "done", status: 200 });
  });
});

test("nothing is sent after the ask is cancelled, whatever the upstream still sends", async () => {
  const { response, write, close } = writable();
  const { end, stopping, data } = forward(response);
  write("data: a\n\n");
  await until(() => data().length === 1);
  stopping.abort();
  write("data: b\n\ndata: [DONE]\n\n");
  close();
  await end;
  expect(data()).toEqual(["a"]);
});
