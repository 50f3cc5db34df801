import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode, type UpstreamError } from "../../../../src/errors.ts";
import { publicMessage } from "../../../../src/http/errors/openai.ts";
import { ask, call, calls, chunk, finish, streamed, translate, usageChunk } from "./scene.ts";

type Seen = ReturnType<typeof streamed>;

const USAGE = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };

const dataOf = (events: Seen) => events.map(({ data }) => data as Record<string, unknown>);

/**
 * Returns each event in short: the kind of a block that starts, the fragment of a delta, or the event's type.
 */
const sketch = (events: Seen): unknown[] =>
  dataOf(events).map((data) => {
    const block = data["content_block"] as { type: string } | undefined;
    const delta = data["delta"] as Record<string, string> | undefined;
    if (block) return `${data["index"]}:${block.type}`;
    if (data["type"] === "content_block_stop") return `${data["index"]}:stop`;
    if (data["type"] !== "content_block_delta") return data["type"];
    return [delta?.["text"], delta?.["thinking"], delta?.["partial_json"]].find((text) => text !== undefined);
  });

test("a text has the whole sequence of events, and each fragment is passed on as it came", () => {
  const datas = [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hel" }),
    chunk({ content: "lo" }),
  ];
  const events = streamed(ask({ stream: true }), [...datas, finish("stop"), usageChunk(USAGE), "[DONE]"]);
  expect(events.map(({ event }) => event)).toEqual(dataOf(events).map(({ type }) => String(type)));
  const none = {
    cache_creation_input_tokens: null,
    cache_read_input_tokens: null,
    output_tokens_details: null,
  };
  expect(dataOf(events)).toEqual([
    {
      type: "message_start",
      message: {
        id: "msg_id1",
        type: "message",
        role: "assistant",
        model: "upstream-model",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: { ...none, input_tokens: 0, output_tokens: 0 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hel" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "lo" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null, stop_details: null },
      usage: { ...none, input_tokens: 12, output_tokens: 3 },
    },
    { type: "message_stop" },
  ]);
});

test("an empty answer is a message without blocks, and a stream without any choice is an error", () => {
  const empty = [chunk({ role: "assistant" }), finish("stop")];
  expect(sketch(streamed(ask(), empty))).toEqual(["message_start", "message_delta", "message_stop"]);
  expect(streamed(ask(), [])).toMatchObject([{ event: "error", data: { error: { type: "api_error" } } }]);
});

test("a stream that ends twice sends its last events once", () => {
  const stream = translate(ask()).stream();
  stream.push({ data: chunk({ content: "a" }) });
  expect(stream.push({ data: "[DONE]" }).at(-1)?.event).toBe("message_stop");
  expect([...stream.end(), ...stream.push({ data: "[DONE]" })]).toEqual([]);
});

describe("tools", () => {
  test("each event comes as early as possible: a block ends when the next begins, or with the finish reason", () => {
    const stream = translate(ask()).stream();
    const push = (data: string) => stream.push({ data }).map(({ event }) => event);
    push(chunk({ content: "Looking." }));
    const begun = ["content_block_stop", "content_block_start"];
    expect(push(calls(call(0, { id: "c1", name: "a", arguments: "" })))).toEqual(begun);
    expect(push(calls(call(0, { arguments: "{}" })))).toEqual(["content_block_delta"]);
    expect(push(calls(call(1, { id: "c2", name: "b", arguments: "" })))).toEqual(begun);
    expect(push(calls(call(2, { id: "c3", name: "c", arguments: "{" })))).toEqual([]);
    const ended = ["content_block_delta", ...begun, "content_block_delta"];
    expect(push(calls(call(1, { arguments: "{}" })))).toEqual(ended);
    expect(push(finish("tool_calls"))).toEqual(["content_block_stop"]);
  });

  test("calls whose fragments alternate come one after the other, with their fragments unchanged", () => {
    const events = streamed(ask(), [
      calls(
        call(0, { id: "c1", name: "a", arguments: '{"x":' }),
        call(1, { id: "c2", name: "b", arguments: '{"y"' }),
      ),
      calls(call(1, { arguments: ": " }), call(0, { arguments: " {}" })),
      chunk({ content: "between" }),
      calls(call(0, { arguments: "}" }), call(1, { arguments: "2}" })),
      finish("tool_calls"),
    ]);
    expect(sketch(events)).toEqual([
      "message_start",
      ...["0:tool_use", '{"x":', " {}", "}", "0:stop"],
      ...["1:tool_use", '{"y"', ": ", "2}", "1:stop"],
      ...["2:text", "between", "2:stop"],
      ...["message_delta", "message_stop"],
    ]);
    expect(dataOf(events)[1]).toMatchObject({ content_block: { id: "c1", name: "a", input: {} } });
    expect(dataOf(events).at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" } });
  });

  test("whole calls that are all numbered 0 are separated by their ids", () => {
    const fragments = ["c1", "c2"].map((id) => calls(call(0, { id, name: "a", arguments: `{"n":"${id}"}` })));
    expect(sketch(streamed(ask(), [...fragments, finish("stop")]))).toEqual([
      "message_start",
      ...["0:tool_use", '{"n":"c1"}', "0:stop"],
      ...["1:tool_use", '{"n":"c2"}', "1:stop"],
      ...["message_delta", "message_stop"],
    ]);
  });

  test("a tool name that is repeated, or comes after the id, is used once", () => {
    const events = streamed(ask(), [
      calls(call(0, { id: "c1" })),
      calls(call(0, { name: "a", arguments: "{" })),
      calls(call(0, { id: "c1", name: "a", arguments: "}" })),
    ]);
    expect(sketch(events).slice(1, 5)).toEqual(["0:tool_use", "{", "}", "0:stop"]);
    expect(dataOf(events)[1]).toMatchObject({ content_block: { id: "c1", name: "a" } });
  });

  test.each([
    ["a call without a name", [calls(call(0, { id: "c1", arguments: "{}" })), finish("tool_calls")]],
    [
      "arguments after the end of a call",
      [
        calls(call(0, { id: "c1", name: "a", arguments: "{}" })),
        calls(call(1, { id: "c2", name: "b", arguments: "{}" })),
        calls(call(0, { arguments: "{}" })),
      ],
    ],
  ])("%s in a stream fails the answer", (_, datas) => {
    const events = streamed(ask(), datas);
    expect(events.at(-1)).toMatchObject({ event: "error", data: { error: { type: "api_error" } } });
    expect(sketch(events)).not.toContain("message_stop");
  });
});

describe("reasoning", () => {
  const datas = [
    chunk({ reasoning_content: "Be" }),
    chunk({ reasoning: "cause" }),
    chunk({ reasoning_content: null, content: "Yes" }),
    finish("stop"),
  ];

  test("reasoning comes before the text as thinking if the caller has switched it on", () => {
    expect(sketch(streamed(ask({ thinking: { type: "adaptive" } }), datas))).toEqual([
      "message_start",
      ...["0:thinking", "Be", "cause", "0:stop"],
      ...["1:text", "Yes", "1:stop"],
      ...["message_delta", "message_stop"],
    ]);
  });

  test("reasoning is dropped if the caller has not switched thinking on", () => {
    expect(sketch(streamed(ask(), datas))[1]).toBe("0:text");
  });
});

test("the last events name a refusal and the caller's stop sequence", () => {
  const refused = streamed(ask(), [
    chunk({ refusal: "I will" }),
    chunk({ refusal: " not." }),
    finish("stop"),
  ]);
  expect(dataOf(refused).at(-2)).toMatchObject({
    delta: { stop_reason: "refusal", stop_details: { type: "refusal" } },
  });
  const stopped = streamed(ask({ stop_sequences: ["END"] }), [
    chunk({ content: "a" }),
    chunk({}, { finish_reason: "stop", stop_reason: "END" }),
    usageChunk(USAGE),
  ]);
  expect(dataOf(stopped).at(-2)).toMatchObject({
    delta: { stop_reason: "stop_sequence", stop_sequence: "END" },
  });
});

test("a stream begins with the input tokens if the upstream reports them with its first chunk", () => {
  const early = { ...USAGE, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 8 } };
  const events = streamed(ask({ stream: true }), [
    chunk({ role: "assistant", content: "" }, {}, { usage: early }),
    chunk({ content: "a" }),
    finish("stop"),
    usageChunk({ ...early, completion_tokens: 3 }),
    "[DONE]",
  ]);
  const counts = { input_tokens: 4, cache_read_input_tokens: 8 };
  const [start] = dataOf(events);
  expect(start).toMatchObject({ message: { usage: { ...counts, output_tokens: 0 } } });
  expect(dataOf(events).at(-2)).toMatchObject({ usage: { ...counts, output_tokens: 3 } });
});

test("the usage of the first chunk counts if the upstream sends zeros or nothing afterwards", () => {
  for (const last of [[], [usageChunk({ prompt_tokens: 0, completion_tokens: 3 })]]) {
    const first = usageChunk({ prompt_tokens: 12, completion_tokens: 1 });
    const events = streamed(ask({ stream: true }), [first, chunk({ content: "a" }), finish("stop"), ...last]);
    expect(dataOf(events)[0]).toMatchObject({ message: { usage: { input_tokens: 12 } } });
    expect(dataOf(events).at(-2)).toMatchObject({ usage: { input_tokens: 12 } });
  }
});

test("the last usage in a stream counts, wherever it is", () => {
  const usage = (completion_tokens: number) => ({ usage: { ...USAGE, completion_tokens } });
  const datas = [
    chunk({ content: "a" }, {}, usage(1)),
    chunk({ content: "b" }, {}, usage(2)),
    finish("stop"),
  ];
  expect(dataOf(streamed(ask(), datas)).at(-2)).toMatchObject({
    usage: { input_tokens: 12, output_tokens: 2 },
  });
});

describe("a failure", () => {
  const failed = (data: string) => {
    const stream = translate(ask()).stream();
    stream.push({ data: chunk({ content: "a" }) });
    const events = stream.push({ data });
    expect([
      ...stream.push({ data: chunk({ content: "b" }) }),
      ...stream.end(),
      ...stream.fail(ERROR, "req_1"),
    ]).toEqual([]);
    return events.map(({ event, data: text }) => ({ event, data: JSON.parse(text) }));
  };
  const ERROR = new AppError("internal");

  test.each(["", "null", "{}", "not JSON", '{"choices":"a"}'])(
    "data that is not a chunk fails the stream and is its last event: %j",
    (data) => {
      expect(failed(data)).toMatchObject([
        { event: "error", data: { type: "error", error: { type: "api_error" } } },
      ]);
    },
  );

  test("a failure that the upstream sends in the stream keeps its message", () => {
    const error = { message: "Too many.", type: "requests", code: "rate_limit_exceeded" };
    expect(failed(JSON.stringify({ error }))).toEqual([
      {
        event: "error",
        data: { type: "error", error: { type: "rate_limit_error", message: "Too many." } },
      },
    ]);
  });

  test("a chunk that holds an error fails the stream, and its text is not part of the answer", () => {
    const error = { message: "Cut off.", code: 502 };
    expect(failed(chunk({ content: "b" }, { finish_reason: "error" }, { error }))).toEqual([
      { event: "error", data: { type: "error", error: { type: "api_error", message: "Cut off." } } },
    ]);
  });

  test.each<[ErrorCode, UpstreamError, string]>([
    ["no_agent", {}, "overloaded_error"],
    ["agent_timeout", {}, "timeout_error"],
    ["model_not_found", {}, "not_found_error"],
    ["agent_lost", {}, "api_error"],
    ["agent_failed", { type: "overloaded_error" }, "overloaded_error"],
    ["agent_failed", { type: "server_error", code: "no_agent_available" }, "overloaded_error"],
    ["agent_failed", { type: "upstream_error", code: "agent_error" }, "api_error"],
    ["agent_failed", { type: "constructor", code: "toString" }, "api_error"],
  ])("the error %s in a stream, with %j from the upstream, has the type %s", (code, upstream, type) => {
    const error = new AppError(code, { upstream });
    const [event] = translate(ask()).stream().fail(error, "req_1");
    expect(JSON.parse(event?.data ?? "")).toEqual({
      type: "error",
      error: { type, message: publicMessage(error) },
      request_id: "req_1",
    });
  });
});
