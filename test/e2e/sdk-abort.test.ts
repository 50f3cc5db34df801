import { afterAll, describe, expect, test } from "bun:test";
import { streamText } from "ai";
import { type ModelApi, shareModelApi } from "../support/model-api.ts";
import { untilWaiting } from "../support/queue.ts";
import { anthropicAt, compatibleAt, openaiAt, rejectionOf } from "../support/sdks.ts";
import { until } from "../support/until.ts";
import { eventStream, json, shareRecordingUpstream } from "../support/upstream/recording-upstream.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";

const ONE_SLOT = ["--slots", "1"];
const messages = [{ role: "user", content: "one two three" }];
const chat = { messages, max_tokens: 99 };
const response = { input: "one two three" };

const faults = shareFaultUpstream();
const recording = shareRecordingUpstream(["mine"]);
const native = shareModelApi({ agents: () => [["--upstream", faults().url, ...ONE_SLOT]] });
const translated = shareModelApi({
  agents: () => [["--upstream", faults().url, "--endpoint", "chat/completions", ...ONE_SLOT]],
});
const recorded = shareModelApi({ agents: () => [["--upstream", recording().url, ...ONE_SLOT]] });

/** Posts with the package of the endpoint, which takes the path without or with `/v1`. */
function post(api: ModelApi, path: string, body: object, signal: AbortSignal): PromiseLike<unknown> {
  const stream = "stream" in body;
  return path === "messages"
    ? anthropicAt(api).post("/v1/messages", { body, stream, signal })
    : openaiAt(api).post(`/${path}`, { body, stream, signal });
}

/** Keeps references to streams: one without references is collected, which closes its connection. */
const held: unknown[] = [];
afterAll(() => held.splice(0));

/** Posts, and resolves once the first event has arrived. */
async function postAndBegin(...args: Parameters<typeof post>): Promise<void> {
  const stream = (await post(...args)) as AsyncIterable<unknown>;
  const events = stream[Symbol.asyncIterator]();
  held.push(events);
  expect((await events.next()).done).toBe(false);
}

const SURFACES: [string, () => ModelApi, string, object][] = [
  ["chat", native, "chat/completions", chat],
  ["responses", native, "responses", response],
  ["translated responses", translated, "responses", response],
  ["translated messages", translated, "messages", chat],
];

describe.each(SURFACES)("aborted requests: %s", (_, api, path, body) => {
  const expectFree = async (abort: () => void) => {
    await faults().openUntil(({ open }) => open === 1);
    abort();
    await faults().openUntil(({ open }) => open === 0);
    await openaiAt(api()).chat.completions.create({
      model: "echo",
      messages: [{ role: "user", content: "?" }],
    });
  };

  test.each([false, true])(
    "aborting a request before its response begins ends the upstream's request and frees the slot (streamed: %p)",
    async (stream) => {
      const caller = new AbortController();
      const asked = { ...body, model: "never", ...(stream && { stream }) };
      const gone = rejectionOf(post(api(), path, asked, caller.signal));
      await expectFree(() => caller.abort());
      expect((await gone)?.constructor.name).toBe("APIUserAbortError");
    },
  );

  test("aborting in the middle of a stream ends the upstream's request and frees the slot", async () => {
    const caller = new AbortController();
    await postAndBegin(api(), path, { ...body, model: "stalls", stream: true }, caller.signal);
    await expectFree(() => caller.abort());
  });

  test("a request that is aborted while it waits for the slot never reaches the upstream", async () => {
    const holder = new AbortController();
    await postAndBegin(api(), path, { ...body, model: "stalls", stream: true }, holder.signal);
    const { started } = await faults().open();
    const waiting = new AbortController();
    const gone = rejectionOf(post(api(), path, { ...body, model: "echo" }, waiting.signal));
    const { url, adminKey } = api();
    await untilWaiting(url, adminKey, 1);
    waiting.abort();
    await gone;
    await untilWaiting(url, adminKey, 0);
    await expectFree(() => holder.abort());
    // `expectFree` makes the one further request.
    expect((await faults().open()).started).toBe(started + 1);
  });
});

describe("aborted requests to an upstream that has every endpoint", () => {
  const piece = 'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}';
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":1}}}';

  const expectGone = async (abort: () => void) => {
    await until(() => recording().requests.length > 0);
    const { gone } = recording().requests[0] ?? expect.unreachable("the upstream was not asked");
    const ended = new Promise((resolve) => gone.addEventListener("abort", resolve));
    abort();
    await ended;
    recording().answer(() => json("{}"));
    await openaiAt(recorded()).embeddings.create({ model: "mine", input: "?", encoding_format: "float" });
  };

  test.each([
    ["completions", { prompt: "?" }],
    ["embeddings", { input: "?" }],
    ["messages", chat],
    ["messages, streamed", { ...chat, stream: true }],
  ])("aborting %s ends the upstream's request and frees the slot", async (name, body) => {
    recording().answer(({ gone }) => new Promise((_, reject) => gone.addEventListener("abort", reject)));
    const caller = new AbortController();
    const path = name.split(",")[0] ?? "";
    const asked = rejectionOf(post(recorded(), path, { ...body, model: "mine" }, caller.signal));
    await expectGone(() => caller.abort());
    expect((await asked)?.constructor.name).toBe("APIUserAbortError");
  });

  test.each([
    ["completions", piece, { prompt: "?" }],
    ["messages", start, chat],
  ])(
    "aborting %s in the middle of a stream ends the upstream's request and frees the slot",
    async (path, block, body) => {
      recording().answer(() => eventStream([block], { stays: true }));
      const caller = new AbortController();
      await postAndBegin(recorded(), path, { ...body, model: "mine", stream: true }, caller.signal);
      await expectGone(() => caller.abort());
    },
  );

  test("aborting a stream of the AI SDK ends the upstream's request and frees the slot", async () => {
    recording().answer(() => eventStream([piece], { stays: true }));
    const caller = new AbortController();
    const { textStream } = streamText({
      model: compatibleAt(recorded())("mine"),
      prompt: "?",
      abortSignal: caller.signal,
      onError: () => {},
    });
    const pieces = textStream[Symbol.asyncIterator]();
    expect(await pieces.next()).toEqual({ done: false, value: "a" });
    await expectGone(() => caller.abort());
  });
});
