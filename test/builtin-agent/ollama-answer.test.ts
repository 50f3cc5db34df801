import { expect, test } from "bun:test";
import { runAsk } from "../../src/builtin-agent/running-asks.ts";
import type { Endpoint } from "../../src/protocol/agent-v2.ts";
import { createFakeClock } from "../support/clock.ts";
import { collectFrames } from "./start.ts";

/** Returns the frames for an ask whose upstream answers so. */
async function framesFor(body: string, type = "application/x-ndjson", endpoint: Endpoint = "api/chat") {
  const { frames, sender } = collectFrames();
  const upstream = {
    label: "scripted",
    check: () => Promise.reject(new Error("not expected")),
    request: async () => new Response(body, { headers: { "content-type": type } }),
  };
  const ask = { type: "ask", ask: "1", stream: true, body: "{}", deadline_ms: 1000, endpoint } as const;
  await runAsk({ ask, upstream, server: sender, clock: createFakeClock(), stopping: new AbortController() });
  return frames;
}

const FIRST = '{"message":{"content":"a"},"done":false}';
const LAST = '{"message":{"content":""},"done":true,"prompt_eval_count":5,"eval_count":2}';
const usage = { prompt_tokens: 5, completion_tokens: 2 };

test.each([
  ["with its line break", `${FIRST}\n${LAST}\n`, "application/x-ndjson"],
  ["without its line break", `${FIRST}\n${LAST}`, "application/x-ndjson"],
  ["under another type", `${FIRST}\n${LAST}\n`, "text/plain"],
])(
  "each line of an Ollama is a delta, and the last one %s ends the answer with its counts",
  async (_, body, type) => {
    expect(await framesFor(body, type)).toEqual([
      { type: "delta", ask: "1", data: FIRST },
      { type: "delta", ask: "1", data: LAST },
      { type: "done", ask: "1", status: 200, usage },
    ]);
  },
);

test("lines without a last one are a failure, and a torn line is not sent", async () => {
  const frames = await framesFor(`${FIRST}\n${FIRST}\n{"message":{"con`);
  expect(frames.map(({ type }) => type)).toEqual(["delta", "delta", "fail"]);
  expect(frames.at(-1)).toMatchObject({ retryable: false });
  expect(await framesFor('{"mess')).toMatchObject([{ type: "fail", retryable: true }]);
});

test("an error in a line is the last delta", async () => {
  const error = '{"error":"out of memory"}';
  expect(await framesFor(`${FIRST}\n${error}\n`)).toMatchObject([
    { data: FIRST },
    { data: error },
    { type: "done" },
  ]);
});

test.each([
  ["a web page", "<!doctype html>", "text/html"],
  ["nothing", "", "application/x-ndjson"],
])("%s in place of lines is a failure that another agent may better", async (_, body, type) => {
  expect(await framesFor(body, type)).toMatchObject([{ type: "fail", retryable: true }]);
});

test("a line that is larger than a frame ends the answer", async () => {
  const long = JSON.stringify({ message: { content: "x".repeat(100_000) }, done: false });
  const last = (await framesFor(`${FIRST}\n${long}\n${LAST}\n`)).at(-1);
  expect(last?.type).toBe("fail");
  expect(JSON.stringify(last)).toContain("larger than the server accepts");
});
