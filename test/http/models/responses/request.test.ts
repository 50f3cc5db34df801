import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../src/errors.ts";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import { completion, countingContext } from "../../../support/translated-responses.ts";

const translate = (body: object) =>
  translateResponses({ model: "m", input: "hello", ...body }, countingContext());
const user = (content: unknown) => ({ role: "user", content });

/** Returns the code of an error, and the field that it names. */
function refusalOf(body: object): [code: string, param: string | undefined] {
  try {
    translate(body);
  } catch (error) {
    if (error instanceof AppError && error.hint) return [error.code, error.param];
    throw error;
  }
  throw new Error("It was not refused.");
}

describe("parameters", () => {
  test("parameters get the names that local upstreams know, and absent ones stay absent", () => {
    const { messages: _, ...plain } = translate({ temperature: null, reasoning: null, text: {} }).request;
    expect(plain).toEqual({ model: "m", stream: false });
    const { messages: __, ...full } = translate({
      stream: true,
      stream_options: { include_obfuscation: false },
      max_output_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      top_logprobs: 2,
      include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
      reasoning: { effort: "low", summary: "auto" },
      text: { verbosity: "high", format: { type: "json_object" } },
      user: "u",
    }).request;
    expect(full).toEqual({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      logprobs: true,
      top_logprobs: 2,
      reasoning_effort: "low",
      verbosity: "high",
      response_format: { type: "json_object" },
      user: "u",
    });
  });

  test("a schema for the answer is passed on whole", () => {
    const schema = { type: "object", properties: { a: { type: "number" } }, additionalProperties: false };
    const format = { type: "json_schema", name: "sum", strict: true, schema };
    expect(translate({ text: { format } }).request["response_format"]).toEqual({
      type: "json_schema",
      json_schema: { name: "sum", strict: true, schema },
    });
    expect(translate({ text: { format: { type: "text" } } }).request["response_format"]).toBeUndefined();
  });

  test("parameters that the Responses API does not have are passed on, and those without effect are not", () => {
    const own = { seed: 7, stop: ["\n"], top_k: 40, chat_template_kwargs: { enable_thinking: false } };
    const noEffect = {
      store: true,
      metadata: { a: "b" },
      service_tier: "auto",
      prompt_cache_key: "k",
      safety_identifier: "s",
      truncation: "auto",
      client_metadata: {},
      previous_response_id: null,
      conversation: null,
      background: false,
      messages: [],
      n: 3,
    };
    const { messages, ...rest } = translate({ ...own, ...noEffect }).request;
    expect(rest).toEqual({ model: "m", stream: false, ...own });
    expect(messages).toEqual([user("hello")]);
  });
});

describe("what a chat completion cannot express", () => {
  const inContent = (part: object) => ({
    input: [user("a"), user([{ type: "input_text", text: "b" }, part])],
  });
  const refusals: [body: object, param: string][] = [
    [{ previous_response_id: "resp_1" }, "previous_response_id"],
    [{ conversation: { id: "conv_1" } }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ background: true }, "background"],
    [{ text: { format: { type: "xml" } } }, "text.format.type"],
    [inContent({ type: "input_file", file_id: "file_1" }), "input[1].content[1]"],
    [inContent({ type: "input_image", file_id: "file_1" }), "input[1].content[1].file_id"],
    [inContent({ type: "input_video" }), "input[1].content[1].type"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0]"],
    [{ input: [{ type: "compaction", encrypted_content: "c" }] }, "input[0].type"],
    [
      { input: [{ role: "system", content: [{ type: "input_image", image_url: "x:y" }] }] },
      "input[0].content[0]",
    ],
    ...[
      "file_search",
      "computer_use_preview",
      "mcp",
      "code_interpreter",
      "image_generation",
      "local_shell",
    ].map((type): [object, string] => [
      { tools: [{ type: "function", name: "f" }, { type }], tool_choice: { type } },
      "tool_choice.type",
    ]),
    [{ tools: [{ type: "web_search" }], tool_choice: { type: "web_search" } }, "tool_choice.type"],
    [{ tools: [{ type: "web_search" }], tool_choice: "required" }, "tool_choice"],
    [{ tools: [{ name: "f" }] }, "tools[0].type"],
    [{ tool_choice: "required" }, "tool_choice"],
  ];
  for (const [body, param] of refusals) {
    test(`the error for ${JSON.stringify(body)} names ${param}`, () => {
      expect(refusalOf(body)).toEqual(["request_untranslatable", param]);
    });
  }
});

describe("a request that is not valid", () => {
  const faults: [body: object, param: string][] = [
    [{ model: 7 }, "model"],
    [{ input: null }, "input"],
    [{ temperature: "hot" }, "temperature"],
    [{ input: [{ role: "robot", content: "x" }] }, "input[0].role"],
    [{ input: [{ type: "function_call", call_id: "a", name: "f" }] }, "input[0].arguments"],
    [{ input: [{ role: "user", content: [{ type: "input_text" }] }] }, "input[0].content[0].text"],
    [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools[0].name"],
    [{ text: { format: { type: "json_schema", name: "a" } } }, "text.format.schema"],
  ];
  for (const [body, param] of faults) {
    test(`a request with a wrong ${param} is refused, and the error names it`, () => {
      expect(refusalOf(body)).toEqual(["body_invalid", param]);
    });
  }
  test("a body that is not an object is refused", () => {
    expect(() => translateResponses(null, countingContext())).toThrow(AppError);
  });
});

test("the answer repeats the request and says that nothing is stored", () => {
  const asked = {
    instructions: "Be brief.",
    max_output_tokens: 9,
    metadata: { a: "b" },
    temperature: 0.5,
    top_p: 0.9,
    parallel_tool_calls: false,
    text: { format: { type: "text" }, verbosity: "low" },
    tools: [{ type: "function", name: "f", parameters: null, strict: true }],
    tool_choice: { type: "function", name: "f" },
  };
  const { answer } = translate({ ...asked, store: true, user: "u" });
  expect(JSON.parse(answer(completion({ content: "Hi" }, {}, { model: "m-7b" })))).toMatchObject({
    ...asked,
    object: "response",
    model: "m-7b",
    created_at: 1_700_000_000,
    user: "u",
    store: false,
    previous_response_id: null,
    error: null,
    incomplete_details: null,
    usage: null,
    output: [
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi", annotations: [] }] },
    ],
  });
});

test("a body that is not a chat completion is not accepted as an answer", () => {
  const { answer } = translate({});
  for (const body of ["", "null", "{", '{"choices":[]}']) {
    expect(() => answer(body), body).toThrow(new AppError("agent_answer_invalid"));
  }
});
