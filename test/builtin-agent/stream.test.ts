import { describe, expect, test } from "bun:test";
import { answer } from "../../src/builtin-agent/answer.ts";
import { readText } from "../../src/builtin-agent/http.ts";
import type { Replies } from "../../src/builtin-agent/replies.ts";
import { passStream } from "../../src/builtin-agent/stream.ts";
import type { AgentFrame } from "../../src/protocol/agent-v2.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";

function collect() {
  const frames: AgentFrame[] = [];
  const replies: Replies = {
    frameBytesMax: 1000,
    send: (frame) => frames.push(frame) > 0,
    room: async () => {},
  };
  return { frames, replies };
}

/** A response whose body the test writes. */
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

function pass(response: Response, { frames, replies } = collect()) {
  const clock = createFakeClock();
  const stopping = new AbortController();
  const outcome = passStream(response, {
    ask: "1",
    replies,
    clock,
    signal: stopping.signal,
    begin: () => {},
  });
  const data = () => frames.flatMap((frame) => (frame.type === "delta" ? [frame.data] : []));
  return { outcome, clock, stopping, data };
}

describe("the end of a stream", () => {
  test("is whole with an end mark that lacks its blank line", async () => {
    const { outcome, data } = pass(new Response("data: a\n\ndata: [DONE]"));
    expect(await outcome).toEqual({ type: "done", status: 200 });
    expect(data()).toEqual(["a", "[DONE]"]);
  });

  test("is torn where anything else lacks it, and that is not passed on", async () => {
    const { outcome, data } = pass(new Response('data: a\n\ndata: {"choices":[{"finish_rea'));
    expect(await outcome).toMatchObject({ type: "fail", retryable: false });
    expect(data()).toEqual(["a"]);
  });

  test("is awaited for a second after the last event, no longer", async () => {
    const { response, write } = writable();
    const { outcome, clock, data } = pass(response);
    write("data: [DONE]\n\n");
    await until(() => clock.pending() === 1);
    clock.advance(1000);
    expect(await outcome).toEqual({ type: "done", status: 200 });
    expect([data(), clock.pending()]).toEqual([["[DONE]"], 0]);
  });

  test("before the first event is as if there had been no answer", async () => {
    const { response, fail } = writable();
    const { outcome } = pass(response);
    fail();
    await expect(outcome).rejects.toThrow("reset");
    expect(await pass(new Response("")).outcome).toMatchObject({ type: "fail", retryable: true });
  });

  test("after it was whole is no failure, be it a reset", async () => {
    const { response, write, fail } = writable();
    const { outcome, data } = pass(response);
    write('data: {"choices":[{"finish_reason":"stop"}]}\n\n');
    await until(() => data().length === 1);
    fail();
    expect(await outcome).toEqual({ type: "done", status: 200 });
  });
});

test("nothing is sent once nobody waits, whatever is still read", async () => {
  const { response, write, close } = writable();
  const { outcome, stopping, data } = pass(response);
  write("data: a\n\n");
  await until(() => data().length === 1);
  stopping.abort();
  write("data: b\n\ndata: [DONE]\n\n");
  close();
  await outcome;
  expect(data()).toEqual(["a"]);
});

describe("when an ask is over", () => {
  const run = async (response: () => Promise<Response>) => {
    const clock = createFakeClock();
    const { frames, replies } = collect();
    let signal: AbortSignal | undefined;
    const upstream = {
      shown: "scripted",
      inquire: () => Promise.reject(new Error("not asked")),
      request: (_endpoint: string, _body: string, given: AbortSignal) => {
        signal = given;
        return response();
      },
    };
    const stopping = new AbortController();
    const ask = { type: "ask", ask: "1", stream: true, body: "{}", deadline_ms: 1000 } as const;
    await answer({ ask: { ...ask, endpoint: "chat/completions" }, upstream, replies, clock, stopping });
    return { frames, pending: clock.pending(), aborted: signal?.aborted };
  };
  const streamed = (text: string) => async () =>
    new Response(text, { headers: { "content-type": "text/event-stream" } });

  test.each<[string, () => Promise<Response>]>([
    ["in full", streamed("data: [DONE]\n\n")],
    ["too large", streamed(`data: ${"x".repeat(2000)}\n\n`)],
    ["refused", async () => new Response("no", { status: 500 })],
    ["unreachable", () => Promise.reject(new TypeError("refused"))],
  ])("%s, neither a timer nor the upstream's request is left", async (_, response) => {
    const { frames, pending, aborted } = await run(response);
    expect(["done", "fail"]).toContain(frames.at(-1)?.type ?? "");
    expect([pending, aborted]).toEqual([0, true]);
  });
});

test("a body is read letter for letter, a byte order mark too, and no further than allowed", async () => {
  expect(await readText(new Response("\ufeff{}\n"), 100)).toBe("\ufeff{}\n");
  expect(await readText(new Response("x".repeat(101)), 100)).toBeUndefined();
  expect(await readText(new Response("x".repeat(100)), 100)).toHaveLength(100);
});
