import { expect, test } from "bun:test";
import { runAsk } from "../../src/builtin-agent/running-asks.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";
import { collectFrames } from "./start.ts";

const run = async (response: () => Promise<Response>, clock = createFakeClock()) => {
  const { frames, sender } = collectFrames();
  let signal: AbortSignal | undefined;
  const upstream = {
    label: "scripted",
    check: () => Promise.reject(new Error("not expected")),
    request: (_endpoint: string, _body: string, given: AbortSignal) => {
      signal = given;
      return response();
    },
  };
  const stopping = new AbortController();
  const ask = { type: "ask", ask: "1", stream: true, body: "{}", deadline_ms: 1000 } as const;
  await runAsk({ ask: { ...ask, endpoint: "chat/completions" }, upstream, server: sender, clock, stopping });
  return { frames, pending: clock.pending(), aborted: signal?.aborted };
};
const streamed = (text: string) => async () =>
  new Response(text, { headers: { "content-type": "text/event-stream" } });

test.each<[string, isRead: boolean, () => Promise<Response>]>([
  ["complete", true, streamed("data: [DONE]\n\n")],
  ["too large", false, streamed(`data: ${"x".repeat(2000)}\n\n`)],
  ["refused", true, async () => new Response("no", { status: 500 })],
  ["unreachable", false, () => Promise.reject(new TypeError("refused"))],
])(
  "after an ask whose answer is %s, no timer is left, and its request is aborted unless all of it was read",
  async (_, isRead, response) => {
    const { frames, pending, aborted } = await run(response);
    expect(["done", "fail"]).toContain(frames.at(-1)?.type ?? "");
    expect([pending, aborted]).toEqual([0, !isRead]);
  },
);

test("the server hears of the end at once, and the upstream has a second to end its response", async () => {
  const clock = createFakeClock();
  const { frames, sender } = collectFrames();
  const answered: number[] = [];
  let signal: AbortSignal | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: [DONE]\n\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  const upstream = {
    label: "scripted",
    check: () => Promise.reject(new Error("not expected")),
    request: async (_endpoint: string, _body: string, given: AbortSignal) => {
      signal = given;
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  };
  const ask = { type: "ask", ask: "1", stream: true, body: "{}", deadline_ms: 60_000 } as const;
  const ended = runAsk({
    ...{ ask: { ...ask, endpoint: "chat/completions" }, upstream, server: sender, clock },
    stopping: new AbortController(),
    onAnswered: () => answered.push(frames.length),
  });
  await until(() => clock.pending() === 1 && frames.length === 2);
  expect(frames.map(({ type }) => type)).toEqual(["delta", "done"]);
  // The slot is free before the server can send the next ask.
  expect(answered).toEqual([1]);
  clock.advance(999);
  expect([cancelled, signal?.aborted]).toEqual([false, false]);
  clock.advance(1);
  expect(await ended).toEqual({ result: "done", status: 200 });
  expect([cancelled, signal?.aborted, clock.pending()]).toEqual([true, true, 0]);
});

test.each([
  ["comments", ": processing\n\n"],
  ["empty lines", "\n"],
])(
  "an upstream that sends %s for longer than the deadline is not given up, and the server hears of it",
  async (_, sign) => {
    const clock = createFakeClock();
    let parts = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      clock.advance(400);
      const isLast = ++parts === 20;
      controller.enqueue(new TextEncoder().encode(isLast ? "data: [DONE]\n\n" : sign));
      if (isLast) controller.close();
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const headers = { "content-type": "text/event-stream" };
    const { frames } = await run(async () => new Response(body, { headers }), clock);
    const types = frames.map(({ type }) => type);
    expect(types.filter((type) => type !== "alive")).toEqual(["delta", "done"]);
    expect(types.indexOf("delta")).toBeWithin(2, 5);
  },
);
