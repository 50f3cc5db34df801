import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { AppError } from "../../../../src/errors.ts";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import {
  chunk,
  completion,
  countingContext,
  finish,
  serveResponses,
  streamedEvents,
  usageChunk,
} from "../../../support/translated-responses.ts";
import { expectWholeAnswer } from "./order.ts";

const tools = ["weather", "news"].map((name) => ({
  type: "function" as const,
  name,
  parameters: { type: "object" },
  strict: null,
}));
const BODY = { model: "m", input: "hello", stream: true as const, tools };
const DONE = "[DONE]";
const call = (index: number, fields: object, called: object = {}) =>
  chunk({ tool_calls: [{ index, ...fields, function: called }] });

/**
 * Reads a stream with the official package, whose parser builds the response and throws on an unknown order.
 */
async function bySdk(data: readonly string[]) {
  const { url } = serveResponses(() => data);
  const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });
  return client.responses.stream(BODY).finalResponse();
}

async function expectSame(data: readonly string[]) {
  const response = expectWholeAnswer(streamedEvents(BODY, data));
  const { output_text: text, ...assembled } = await bySdk(data);
  expect(JSON.parse(JSON.stringify(assembled.output))).toMatchObject(response.output);
  expect(assembled).toMatchObject({ id: response.id, status: response.status, usage: response.usage });
  return { response, text };
}

test("text becomes one message, delta by delta, with the usage that follows it", async () => {
  const data = [
    chunk({ role: "assistant", content: "" }),
    ...["He", "llo", " wörld ", "👩‍🔬"].map((content) => chunk({ content })),
    chunk({ content: "another" }, { index: 1 }),
    finish("stop"),
    usageChunk({
      prompt_tokens: 5,
      completion_tokens: 7,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    }),
    chunk({}, { usage: null }),
    DONE,
  ];
  const { response, text } = await expectSame(data);
  expect(text).toBe("Hello wörld 👩‍🔬");
  expect(response).toMatchObject({ object: "response", status: "completed", model: "m", store: false });
  expect(response.usage).toEqual({
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 3 },
    output_tokens: 7,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 12,
  });
  expect(streamedEvents(BODY, data).map(({ event }) => event)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    ...Array.from({ length: 4 }, () => "response.output_text.delta"),
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
});

test("parallel calls whose arguments alternate are kept apart, byte for byte", async () => {
  const { response } = await expectSame([
    chunk({ content: "Let me see." }),
    call(0, { id: "call_a", type: "function" }, { name: "weather", arguments: "" }),
    call(0, {}, { arguments: '{ "city"' }),
    call(1, { id: "call_b", type: "function" }, { name: "news", arguments: '{"q":"' }),
    call(0, {}, { arguments: ':"Paris"}' }),
    call(1, {}, { arguments: 'é"}' }),
    finish("tool_calls"),
    DONE,
  ]);
  expect(response.status).toBe("completed");
  expect(response.output).toMatchObject([
    { type: "message", status: "completed", content: [{ text: "Let me see." }] },
    { type: "function_call", call_id: "call_a", name: "weather", arguments: '{ "city":"Paris"}' },
    { type: "function_call", call_id: "call_b", name: "news", arguments: '{"q":"é"}' },
  ]);
});

test("whole calls that all have the same index, or none, are separate calls", async () => {
  for (const index of [0, undefined]) {
    const one = (id: string, city: string) =>
      chunk({ tool_calls: [{ index, id, function: { name: "weather", arguments: `"${city}"` } }] });
    const { response } = await expectSame([one("a", "Paris"), one("b", "Rome"), finish("tool_calls"), DONE]);
    expect(response.output).toMatchObject([
      { call_id: "a", arguments: '"Paris"' },
      { call_id: "b", arguments: '"Rome"' },
    ]);
  }
});

test("fragments without an index belong to the call before them, and whole calls need neither index nor id", async () => {
  const data = [
    call(0, { id: "a" }, { name: "weather", arguments: "[" }),
    call(1, { id: "b" }, { name: "news", arguments: "{" }),
    chunk({ tool_calls: [{ function: { arguments: "}" } }] }),
  ];
  const { response } = await expectSame([...data, finish("tool_calls"), DONE]);
  expect(response.output.map((item: { arguments: string }) => item.arguments)).toEqual(["[", "{}"]);

  const tool_calls = ["weather", "news"].map((name) => ({ function: { name, arguments: "{}" } }));
  const { answer } = translateResponses(BODY, countingContext());
  expect(JSON.parse(answer(completion({ tool_calls }))).output).toMatchObject([
    { name: "weather", arguments: "{}" },
    { name: "news", arguments: "{}" },
  ]);
});

test("a call without an id gets one, and a repeated name is used once", async () => {
  const { response } = await expectSame([
    call(0, {}, { name: "weather", arguments: "{" }),
    call(0, {}, { name: "weather", arguments: "}" }),
    finish("tool_calls"),
    DONE,
  ]);
  expect(response.output).toMatchObject([{ name: "weather", arguments: "{}" }]);
  expect(response.output[0].call_id).toMatch(/^call_./);
});

describe("reasoning, under either name", () => {
  for (const field of ["reasoning_content", "reasoning"]) {
    test(`reasoning in the field ${field} becomes a reasoning item with a summary`, async () => {
      const { response, text } = await expectSame([
        chunk({ role: "assistant", [field]: "Let me " }),
        chunk({ [field]: "think." }),
        chunk({ content: "42" }),
        finish("stop"),
        DONE,
      ]);
      expect(text).toBe("42");
      expect(response.output).toMatchObject([
        {
          type: "reasoning",
          status: "completed",
          summary: [{ type: "summary_text", text: "Let me think." }],
        },
        { type: "message", content: [{ text: "42" }] },
      ]);
    });
  }
});

test("a refusal becomes a refusal part, not text", async () => {
  const { response, text } = await expectSame([
    chunk({ refusal: "I can" }),
    chunk({ refusal: "not." }),
    finish("stop"),
    DONE,
  ]);
  expect(text).toBe("");
  expect(response.output[0].content).toEqual([{ type: "refusal", refusal: "I cannot." }]);
});

describe("an answer that was cut short is incomplete, and so is its last item only", () => {
  for (const [reason, told] of [
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ] as const) {
    test(`an answer with the finish reason ${reason} is incomplete, and so is its last item only`, async () => {
      const { response } = await expectSame([
        chunk({ content: "half" }),
        call(0, { id: "a" }, { name: "news", arguments: "{" }),
        finish(reason),
        usageChunk({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }),
        DONE,
      ]);
      expect(response.status).toBe("incomplete");
      expect(response.incomplete_details).toEqual({ reason: told });
      expect(response.output.map((item: { status: string }) => item.status)).toEqual([
        "completed",
        "incomplete",
      ]);
      expect(response.usage.total_tokens).toBe(3);
    });
  }
});

test("an empty answer is complete without items, and without usage if the upstream sent none", async () => {
  const { response } = await expectSame([chunk({ role: "assistant", content: "" }), finish("stop"), DONE]);
  expect(response).toMatchObject({ status: "completed", output: [], usage: null });
});

test("a stream without any choice has failed", () => {
  expect(expectWholeAnswer(streamedEvents(BODY, []))).toMatchObject({ status: "failed", output: [] });
});

test("text after calls is a separate message, which ends after them", async () => {
  const { response, text } = await expectSame([
    call(0, { id: "a" }, { name: "weather", arguments: "{}" }),
    call(1, { id: "b" }, { name: "news", arguments: "{}" }),
    chunk({ content: "Calling." }),
    finish("tool_calls"),
    DONE,
  ]);
  expect(text).toBe("Calling.");
  expect(response.output.map(({ type }: { type: string }) => type)).toEqual([
    "function_call",
    "function_call",
    "message",
  ]);
});

test("log probabilities come with the text that they belong to", () => {
  const logprob = (token: string) => ({ token, logprob: -0.5, bytes: [1], top_logprobs: [] });
  const events = streamedEvents(BODY, [
    chunk({ content: "a" }, { logprobs: { content: [logprob("a")] } }),
    chunk({ content: "b" }, { logprobs: { content: [logprob("b")] } }),
    finish("stop"),
  ]);
  const deltas = events.filter(({ event }) => event === "response.output_text.delta");
  expect(deltas.map(({ data }) => JSON.parse(data).logprobs)).toEqual([[logprob("a")], [logprob("b")]]);
  expect(expectWholeAnswer(events).output[0].content[0].logprobs).toEqual([logprob("a"), logprob("b")]);
});

describe("a failure", () => {
  const start = () => translateResponses(BODY, countingContext()).stream();
  const error = { message: "It broke", type: "server_error", code: "broken" };
  const lost = new AppError("agent_failed", { extra: { err: "It broke" }, upstream: { code: "broken" } });

  test("a failure in the middle is response.failed with the output so far, and nothing comes after it", () => {
    const stream = start();
    const events = [...stream.push({ data: chunk({ content: "half" }) }), ...stream.fail(lost, "req_1")];
    expect(expectWholeAnswer(events)).toMatchObject({
      status: "failed",
      error: { code: "broken", message: "The agent could not answer: It broke." },
      output: [{ status: "incomplete", content: [{ text: "half" }] }],
    });
    expect([
      ...stream.push({ data: chunk({ content: "more" }) }),
      ...stream.fail(lost, "req_1"),
      ...stream.end(),
    ]).toEqual([]);
  });

  test("a failure before anything else begins a response and fails it, as clients expect", async () => {
    const events = start().fail(lost, "req_1");
    expect(events.map(({ event }) => event)).toEqual([
      "response.created",
      "response.in_progress",
      "response.failed",
    ]);
    expect(expectWholeAnswer(events)).toMatchObject({
      status: "failed",
      error: { code: "broken", message: "The agent could not answer: It broke." },
      output: [],
    });
    const bySdkRead = await bySdk([JSON.stringify({ error })]);
    expect(bySdkRead).toMatchObject({ status: "failed", error: { code: "broken", message: "It broke" } });
  });

  test("a failure that the upstream sends in the stream keeps its message and its code", () => {
    for (const sent of [{ error }, { error, choices: [] }]) {
      const events = streamedEvents(BODY, [
        chunk({ content: "half" }),
        JSON.stringify(sent),
        finish("stop"),
        DONE,
      ]);
      expect(expectWholeAnswer(events).error).toEqual({ code: "broken", message: "It broke" });
    }
    const bare = streamedEvents(BODY, [chunk({}), '{"error":"out of memory"}']);
    expect(expectWholeAnswer(bare).error).toEqual({ code: "server_error", message: "out of memory" });
  });

  test("data that is not a chunk is a failure", () => {
    for (const data of ["{", "null", "[]", '{"id":1}', '{"choices":[{"delta":{"content":7}}]}']) {
      const response = expectWholeAnswer(streamedEvents(BODY, [chunk({}), data, DONE]));
      expect([response.status, response.error.code], data).toEqual(["failed", "server_error"]);
    }
  });
});

test("the end of a stream adds nothing after [DONE]", () => {
  const stream = translateResponses(BODY, countingContext()).stream();
  const events = [...stream.push({ data: chunk({ content: "all" }) }), ...stream.push({ data: DONE })];
  expectWholeAnswer(events);
  expect(stream.end()).toEqual([]);
});
