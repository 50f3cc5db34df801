import { describe, expect, test } from "bun:test";
import { translateEmbed } from "../../../../src/http/models/ollama/embed.ts";
import { translateChat, translateGenerate } from "../../../../src/http/models/ollama/translate.ts";
import { failureOf } from "../../../support/store.ts";

const CONTEXT = { newId: () => "1", now: () => 0 };
const chat = (fields: object) => translateChat({ model: "m", ...fields }, CONTEXT).request;
const generate = (fields: object) => translateGenerate({ model: "m", ...fields }, CONTEXT);
const hi = { role: "user", content: "Hi" };
const call = (name: string, more: object = {}) => ({ ...more, function: { name, arguments: { a: 1 } } });
const tool = (content: string, more: object = {}) => ({ role: "tool", content, ...more });
const messagesOf = (...messages: object[]) => chat({ messages })["messages"] as Record<string, unknown>[];

test.each<[object, object]>([
  [{}, { stream: true, stream_options: { include_usage: true } }],
  [{ stream: false }, { stream: false }],
  [{ think: "high" }, { reasoning_effort: "high" }],
  [{ think: false }, { reasoning_effort: "none" }],
  [{ format: "json" }, { response_format: { type: "json_object" } }],
  [
    { format: { type: "object" } },
    { response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } } },
  ],
  [
    { options: { temperature: 0, top_p: 0.5, top_k: 3, min_p: 0.1, seed: 7 } },
    { temperature: 0, top_p: 0.5, top_k: 3, min_p: 0.1, seed: 7 },
  ],
  [{ options: { num_predict: 9, stop: "x" } }, { max_tokens: 9, stop: "x" }],
  [{ options: { num_predict: 9.5 } }, { max_tokens: 9 }],
  [{ options: { repeat_penalty: 1.1 } }, { repeat_penalty: 1.1, repetition_penalty: 1.1 }],
  [
    { logprobs: true, top_logprobs: 2 },
    { logprobs: true, top_logprobs: 2 },
  ],
  [{ tools: [{ function: { name: "f" } }] }, { tools: [{ type: "function", function: { name: "f" } }] }],
])("the fields %j become %j", (fields, expected) => {
  expect(chat({ messages: [hi], ...fields })).toMatchObject(expected);
});

test("fields that no word of the answer depends on are left out", () => {
  const options = { num_ctx: 8192, num_gpu: 1, num_predict: -1, repeat_penalty: 1, mirostat: 0, stop: [] };
  const fields = {
    messages: [hi],
    options,
    keep_alive: "5m",
    think: true,
    format: "",
    tools: [],
    stream: false,
  };
  expect(chat(fields)).toEqual({ model: "m", messages: [hi], stream: false });
});

describe("tools", () => {
  const called = (...calls: object[]) => ({ role: "assistant", content: "", tool_calls: calls });
  /** Returns the name of the call that each result belongs to. */
  const pairs = (...messages: object[]) => {
    const made = messagesOf(hi, ...messages);
    const names = new Map(
      made.flatMap(({ tool_calls = [] }) =>
        (tool_calls as { id: string; function: { name: string } }[]).map(
          (one) => [one.id, one.function.name] as const,
        ),
      ),
    );
    return made
      .filter(({ role }) => role === "tool")
      .map((one) => `${names.get(String(one["tool_call_id"]))}: ${one["content"]}`);
  };

  test.each<[string, object[], string[]]>([
    ["its name", [tool("1", { tool_name: "g" }), tool("2", { tool_name: "f" })], ["g: 1", "f: 2"]],
    ["its place", [tool("1"), tool("2")], ["f: 1", "g: 2"]],
    ["its id", [tool("1", { tool_call_id: "y" }), tool("2", { tool_call_id: "x" })], ["g: 1", "f: 2"]],
    ["its name beside an id that is not known", [tool("1", { tool_name: "g", tool_call_id: "z" })], ["g: 1"]],
  ])("a result belongs to a call by %s", (_, results, expected) => {
    expect(pairs(called(call("f", { id: "x" }), call("g", { id: "y" })), ...results)).toEqual(expected);
  });

  test("results of two calls of one tool are in the order of the calls", () => {
    const made = messagesOf(
      hi,
      called(call("f"), call("f")),
      tool("1", { tool_name: "f" }),
      tool("2", { tool_name: "f" }),
    );
    expect(made.slice(2).map((one) => one["tool_call_id"])).toEqual(["call_1_0", "call_1_1"]);
  });

  test("ids stay the same in later requests, and no two calls have the same", () => {
    const first = [hi, called(call("f", { id: "x" })), tool("1"), called(call("f", { id: "x" })), tool("2")];
    const ids = (messages: Record<string, unknown>[]) => messages.flatMap((one) => one["tool_call_id"] ?? []);
    expect(ids(messagesOf(...first))).toEqual(["x", "call_3_0"]);
    expect(ids(messagesOf(...first, hi))).toEqual(["x", "call_3_0"]);
  });

  test.each([
    ["without any call", [tool("1")]],
    ["with the name of another tool", [called(call("f")), tool("1", { tool_name: "g" })]],
    ["after all calls have one", [called(call("f")), tool("1"), tool("2")]],
    ["of a call that was passed over", [called(call("f")), called(call("g")), tool("1"), tool("2")]],
  ])("a result %s is refused", async (_, messages) => {
    const last = messages.length;
    const error = await failureOf(() => messagesOf(hi, ...messages));
    expect(error).toMatchObject({ code: "request_untranslatable", param: `messages[${last}]` });
  });

  test("arguments are JSON, thoughts are kept, and images of a result come after it", () => {
    const answer = { ...called(call("f")), thinking: "hm" };
    const made = messagesOf(hi, answer, tool("1", { images: ["iVBORw0KGgoA"] }));
    expect(made).toMatchObject([
      hi,
      {
        ...{ role: "assistant", content: null, reasoning_content: "hm" },
        tool_calls: [{ type: "function", function: { name: "f", arguments: '{"a":1}' } }],
      },
      { role: "tool", content: "1" },
      {
        role: "user",
        content: [{ type: "text" }, { image_url: { url: "data:image/png;base64,iVBORw0KGgoA" } }],
      },
    ]);
  });
});

test.each([
  ["iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="],
  ["/9j/4AAQ", "data:image/jpeg;base64,/9j/4AAQ"],
  ["R0lGODlh", "data:image/gif;base64,R0lGODlh"],
  ["UklGRgAA", "data:image/webp;base64,UklGRgAA"],
  ["data:image/x;base64,AA", "data:image/x;base64,AA"],
  ["iVBORw0K\r\nGgoAA==\n", "data:image/png;base64,iVBORw0KGgoAA=="],
])("the image %j becomes %j", (image, url) => {
  expect(messagesOf({ ...hi, images: [image] })).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "Hi" },
        { type: "image_url", image_url: { url } },
      ],
    },
  ]);
});

test("generate becomes a chat, or a completion if the prompt is raw or has a suffix", () => {
  const asked = generate({ prompt: "Hi", system: "Be brief.", stream: false });
  expect(asked.endpoint).toBeUndefined();
  expect(asked.request).toEqual({
    model: "m",
    messages: [{ role: "system", content: "Be brief." }, hi],
    stream: false,
  });
  for (const fields of [{ raw: true }, { suffix: "end" }]) {
    const { endpoint, request } = generate({
      prompt: "Hi",
      ...fields,
      stream: false,
      options: { num_predict: 3 },
    });
    const suffix = "suffix" in fields && { suffix: "end" };
    expect({ endpoint, request }).toEqual({
      endpoint: "completions",
      request: { model: "m", prompt: "Hi", ...suffix, max_tokens: 3, stream: false },
    });
  }
});

test.each<[string, () => unknown]>([
  ["messages[1].role", () => messagesOf(hi, { role: "assistant", content: "I" })],
  ["messages[0].images", () => messagesOf({ role: "system", content: "", images: ["AA"] }, hi)],
  ["messages[0].images[1]", () => messagesOf({ ...hi, images: ["AA==", "https://example.com/a.png"] })],
  ["messages[0].images[0]", () => messagesOf({ ...hi, images: [""] })],
  ["images[0]", () => generate({ prompt: "Hi", images: ["not base64!"] })],
  ["format", () => chat({ messages: [hi], format: "xml" })],
  ["think", () => chat({ messages: [hi], think: "much" })],
  ["options.mirostat", () => chat({ messages: [hi], options: { mirostat: 1 } })],
  ["options.typical_p", () => chat({ messages: [hi], options: { typical_p: 0.5 } })],
  ["template", () => generate({ prompt: "Hi", template: "x" })],
  ["context", () => generate({ prompt: "Hi", context: [1] })],
  ["system", () => generate({ prompt: "Hi", suffix: "x", system: "y" })],
  ["format", () => generate({ prompt: "Hi", raw: true, format: "json" })],
  ["logprobs", () => generate({ prompt: "Hi", raw: true, logprobs: true })],
])("what cannot be expressed is refused by its name: %s", async (param, run) => {
  expect(await failureOf(run)).toMatchObject({ code: "request_untranslatable", param });
});

test.each([
  ["options.temperature", { options: { temperature: "hot" } }],
  ["messages[0].content", { messages: [{ role: "user", content: [{}] }] }],
  [
    "messages[0].tool_calls[0].function.name",
    { messages: [{ role: "assistant", tool_calls: [{ function: {} }] }] },
  ],
])("a field of the wrong type is refused by its name: %s", async (param, fields) => {
  const error = await failureOf(() => chat({ messages: [hi], ...fields }));
  expect(error).toMatchObject({ code: "body_invalid", param });
});

test("embeddings come back in the order of the texts, also in base64", () => {
  const { request, endpoint, answer } = translateEmbed(
    { model: "m", input: ["a", "b"], truncate: true },
    CONTEXT,
  );
  expect({ request, endpoint }).toEqual({
    request: { model: "m", input: ["a", "b"], encoding_format: "float" },
    endpoint: "embeddings",
  });
  const base64 = Buffer.from(new Float32Array([1, -2]).buffer).toString("base64");
  const data = [
    { index: 1, embedding: base64 },
    { index: 0, embedding: [3, 4] },
  ];
  const body = JSON.stringify({ data, usage: { prompt_tokens: 2, total_tokens: 2 } });
  expect(JSON.parse(answer(body))).toEqual({
    ...{
      model: "m",
      embeddings: [
        [3, 4],
        [1, -2],
      ],
      prompt_eval_count: 2,
    },
    ...{ total_duration: 0, load_duration: 0 },
  });
  expect(() => answer("{}")).toThrow();
});
