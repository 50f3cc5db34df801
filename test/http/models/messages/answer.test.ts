import { describe, expect, test } from "bun:test";
import { anthropicErrorBody, anthropicTypeOfStatus } from "../../../../src/http/errors/anthropic.ts";
import { ask, completion, startMessages, translate } from "./scene.ts";

const answerTo = (body: unknown, chatBody: string) => JSON.parse(translate(body).answer(chatBody));
const answerOf = (message: object, choice?: object, rest?: object) =>
  answerTo(ask(), completion(message, choice, rest));
const called = (name: string, text: string, id?: string) => ({
  ...(id && { id }),
  type: "function",
  function: { name, arguments: text },
});

test("a text is one block, with the upstream's model and a message id of our own", () => {
  expect(answerOf({ content: "Grüße 🦊" })).toEqual({
    id: "msg_id1",
    type: "message",
    role: "assistant",
    model: "upstream-model",
    content: [{ type: "text", text: "Grüße 🦊" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 0,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      output_tokens: 0,
      output_tokens_details: null,
    },
  });
});

test("an empty answer has no blocks", () => {
  expect(answerOf({ content: "" })).toMatchObject({ content: [], stop_reason: "end_turn" });
});

describe("tools", () => {
  test("parallel calls become blocks after the text, with their arguments as objects", () => {
    const tool_calls = [called("weather", '{"city": "Rome"}', "call_1"), called("clock", "", "call_2")];
    expect(answerOf({ content: "Looking.", tool_calls }, { finish_reason: "tool_calls" })).toMatchObject({
      content: [
        { type: "text", text: "Looking." },
        { type: "tool_use", id: "call_1", name: "weather", input: { city: "Rome" } },
        { type: "tool_use", id: "call_2", name: "clock", input: {} },
      ],
      stop_reason: "tool_use",
    });
  });

  test.each([['{"city": "Ro'], ["[1]"], ['"text"']])(
    "the arguments %s never look like a call without arguments",
    (text) => {
      const [block] = answerOf(
        { tool_calls: [called("weather", text, "c")] },
        { finish_reason: "length" },
      ).content;
      expect(block.input).toEqual({ INVALID_JSON: text });
    },
  );

  test("a call without an id gets one, and the stop reason is tool_use even if the upstream says stop", () => {
    const answer = answerOf({ tool_calls: [called("clock", "null")] });
    expect(answer).toMatchObject({ content: [{ id: "toolu_id2", input: {} }], stop_reason: "tool_use" });
  });
});

describe("reasoning", () => {
  const message = { reasoning_content: "Because.", content: "Yes." };
  const text = { type: "text", text: "Yes." };
  const thinking = { type: "thinking", thinking: "Because.", signature: "" };

  test.each([
    [{ type: "enabled", budget_tokens: 1024 }, [thinking, text]],
    [{ type: "adaptive", display: "summarized" }, [thinking, text]],
    [{ type: "adaptive", display: "omitted" }, [text]],
    [{ type: "disabled" }, [text]],
    [null, [text]],
  ])("with thinking %j, the content of a reasoned answer is %j", (given, content) => {
    expect(answerTo(ask({ thinking: given }), completion(message)).content).toEqual(content);
  });

  test("reasoning is also read under its other name", () => {
    const answer = answerTo(ask({ thinking: { type: "adaptive" } }), completion({ reasoning: "Because." }));
    expect(answer.content).toEqual([thinking]);
  });
});

describe("the reason to stop", () => {
  test.each([
    ["stop", "end_turn"],
    ["length", "max_tokens"],
    ["tool_calls", "end_turn"],
    ["content_filter", "refusal"],
    [null, "end_turn"],
  ])("the finish reason %p becomes the stop reason %p", (finish_reason, stop_reason) => {
    expect(answerOf({ content: "a" }, { finish_reason })).toMatchObject({ stop_reason, stop_sequence: null });
  });

  test("a refusal has the stop reason refusal, and keeps its text", () => {
    expect(answerOf({ refusal: "I will not." })).toMatchObject({
      content: [{ type: "text", text: "I will not." }],
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: null, explanation: null },
    });
  });

  test.each(["stop_reason", "matched_stop"])("the caller's stop sequence is read from %s", (field) => {
    const body = ask({ stop_sequences: ["END", "FIN"] });
    const stopped = (value: unknown) => answerTo(body, completion({ content: "a" }, { [field]: value }));
    expect(stopped("FIN")).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "FIN" });
    expect(stopped("<eos>")).toMatchObject({ stop_reason: "end_turn", stop_sequence: null });
    expect(stopped(151643)).toMatchObject({ stop_reason: "end_turn", stop_sequence: null });
  });
});

test("cached input tokens are counted beside the input tokens, as Anthropic counts", () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 7 },
  };
  expect(answerOf({ content: "a" }, {}, { usage }).usage).toEqual({
    input_tokens: 36,
    cache_creation_input_tokens: null,
    cache_read_input_tokens: 64,
    output_tokens: 20,
    output_tokens_details: { thinking_tokens: 7 },
  });
});

test("tokens written to a cache are not part of the input tokens either, and wrong parts are left out", () => {
  const counts = { prompt_tokens: 100, completion_tokens: 20 };
  const written = { ...counts, prompt_tokens_details: { cached_tokens: 64, cache_creation_tokens: 30 } };
  expect(answerOf({ content: "a" }, {}, { usage: written }).usage).toMatchObject({
    ...{ input_tokens: 6, cache_creation_input_tokens: 30, cache_read_input_tokens: 64 },
  });
  const wrong = { ...counts, prompt_cache_hit_tokens: 101 };
  expect(answerOf({ content: "a" }, {}, { usage: wrong }).usage).toMatchObject({
    ...{ input_tokens: 100, cache_read_input_tokens: null },
  });
});

test.each(["", "<html>", "null", "{}", '{"choices":[]}', '{"choices":[{"delta":{}}]}'])(
  "the body %j is not accepted as an answer",
  (body) => {
    expect(() => translate(ask()).answer(body)).toThrow(
      expect.objectContaining({ code: "agent_answer_invalid" }),
    );
  },
);

test("the official SDK reads the answer and continues with the results of its tool calls", async () => {
  const seen: unknown[] = [];
  const client = startMessages((request) => {
    seen.push(request["messages"]);
    return seen.length === 1
      ? { body: completion({ tool_calls: [called("weather", '{"city":"Rome"}', "c1")] }) }
      : { body: completion({ content: "Sunny." }) };
  });
  const tools = [{ name: "weather", input_schema: { type: "object" as const } }];
  const question = { role: "user" as const, content: "Rome?" };
  const first = await client.messages.create({ model: "m", max_tokens: 9, messages: [question], tools });
  const results = first.content.flatMap((block) =>
    block.type === "tool_use"
      ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "sun" }]
      : [],
  );
  const messages = [question, { role: "assistant" as const, content: first.content }];
  const last = await client.messages.create({
    model: "m",
    max_tokens: 9,
    messages: [...messages, { role: "user", content: results }],
    tools,
  });
  expect(last.content).toMatchObject([{ type: "text", text: "Sunny." }]);
  expect(seen[1]).toMatchObject([
    {},
    { tool_calls: [{ id: "c1", function: { arguments: '{"city":"Rome"}' } }] },
    { role: "tool", tool_call_id: "c1", content: "sun" },
  ]);
});

describe("errors", () => {
  test.each([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [402, "billing_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [405, "invalid_request_error"],
    [408, "timeout_error"],
    [413, "request_too_large"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [502, "api_error"],
    [503, "overloaded_error"],
    [504, "timeout_error"],
    [529, "overloaded_error"],
  ])("the status %d has the error type %s", (status, type) => {
    expect(anthropicTypeOfStatus(status)).toBe(type as ReturnType<typeof anthropicTypeOfStatus>);
  });

  test("an error body has Anthropic's shape, with the request's id if there is one", () => {
    const error = { type: "not_found_error", message: "No such model." } as const;
    expect(anthropicErrorBody(error, "req_1")).toEqual({ type: "error", error, request_id: "req_1" });
    expect(anthropicErrorBody(error)).toEqual({ type: "error", error });
  });
});
