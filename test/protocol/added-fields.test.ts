import { describe, expect, test } from "bun:test";
import { ADDED_FIELDS, type AddedField, refusedFields } from "../../src/protocol/added-fields.ts";

const refusedIn = (body: unknown): AddedField[] =>
  refusedFields(typeof body === "string" ? body : JSON.stringify(body), ADDED_FIELDS);

const openai = (name: string, more = "") => ({
  error: {
    message: `Unsupported parameter: '${name}' is not supported with this model.${more}`,
    type: "invalid_request_error",
    param: name,
    code: "unsupported_parameter",
  },
});
const extra = (...loc: (string | number)[]) => ({
  type: "extra_forbidden",
  loc: ["body", ...loc],
  msg: "Extra inputs are not permitted",
  input: true,
});
const RENAMED =
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";

describe("the field that an upstream refuses", () => {
  test.each<[string, AddedField, unknown]>([
    ["OpenAI", "parallel_tool_calls", openai("parallel_tool_calls")],
    ["OpenAI", "max_tokens", openai("max_tokens", " Use 'max_completion_tokens' instead.")],
    ["Copilot", "max_tokens", { error: { message: RENAMED, code: "invalid_request_body" } }],
    [
      "OpenAI",
      "reasoning_effort",
      { error: { message: "Unrecognized request argument supplied: reasoning_effort" } },
    ],
    ["OpenAI", "user", { error: { message: "Unrecognized request argument supplied: user", param: null } }],
    [
      "OpenAI",
      "stream",
      {
        error: {
          message: "Unsupported value: 'stream' does not support true with this model.",
          param: "stream",
        },
      },
    ],
    [
      "Mistral",
      "stream_options",
      { object: "error", message: { detail: [extra("stream_options", "include_usage")] } },
    ],
    ["Mistral", "user", { object: "Error", detail: [extra("user")], message: [extra("user")], code: 3001 }],
    [
      "Mistral's proxy",
      "verbosity",
      { object: "error", message: JSON.stringify({ detail: [extra("verbosity")] }) },
    ],
    [
      "Mistral",
      "messages.reasoning_content",
      { detail: [extra("messages", 2, "assistant", "reasoning_content")] },
    ],
    [
      "Groq",
      "messages.reasoning_content",
      {
        error: {
          message:
            "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'reasoning_content' is unsupported)]",
        },
      },
    ],
    [
      "Cerebras",
      "messages.reasoning_content",
      {
        message:
          "messages.2.assistant.reasoning_content: property 'messages.2.assistant.reasoning_content' is unsupported",
        param: "validation_error",
      },
    ],
    [
      "Fireworks",
      "stream_options",
      { error: { message: "Extra inputs are not permitted, field: 'stream_options'" } },
    ],
    [
      "Gemini",
      "parallel_tool_calls",
      [
        {
          error: {
            code: 400,
            message: 'Invalid JSON payload received. Unknown name "parallel_tool_calls": Cannot find field.',
            status: "INVALID_ARGUMENT",
          },
        },
      ],
    ],
    [
      "Gemini",
      "parallel_tool_calls",
      [{ error: { code: 400, message: "Parallel tool calls are not supported." } }],
    ],
    ["FastAPI", "tools.strict", { detail: [extra("tools", 0, "function", "strict")] }],
    ["FastAPI", "response_format.strict", { detail: [extra("response_format", "json_schema", "strict")] }],
    ["Go", "stream_options", { error: 'json: unknown field "stream_options"' }],
    [
      "Rust",
      "stream_options",
      "Failed to deserialize the JSON body: unknown field `stream_options`, expected one of `model`, `user`, `max_tokens`",
    ],
    [
      "Rust",
      "user",
      "unknown field `user`, expected one of `model`, `messages`, `max_tokens`, `reasoning_effort`",
    ],
    ["plain text", "stream_options", "stream_options is not allowed"],
    ["a path", "tools.strict", { error: { message: "unknown field", param: "tools[0].function.strict" } }],
    [
      "OpenRouter",
      "verbosity",
      {
        error: {
          message: "Provider returned error",
          code: 400,
          metadata: { raw: JSON.stringify(openai("verbosity")) },
        },
      },
    ],
  ])("%s names %s", (_, name, body) => {
    expect(refusedIn(body)).toEqual([name]);
  });

  test("all fields that an error names are found", () => {
    const tools = Array.from({ length: 30 }, (_, at) => extra("tools", at, "function", "strict"));
    expect(refusedIn({ detail: [...tools, extra("stream_options"), extra("user")] })).toEqual([
      "stream_options",
      "user",
      "tools.strict",
    ]);
    expect(
      refusedIn({
        error: { message: "Unrecognized request arguments supplied: parallel_tool_calls, verbosity" },
      }),
    ).toEqual(["parallel_tool_calls", "verbosity"]);
  });

  test.each([
    {
      error: {
        message: "max_tokens is too large: 200000. This model supports at most 16384 completion tokens.",
        param: "max_tokens",
        code: "invalid_value",
      },
    },
    { message: "'max_tokens' or 'max_completion_tokens' is too large: 100000.", code: 400 },
    { error: { message: "This model's maximum context length is 8192 tokens." } },
    { error: { message: "Conversation roles must alternate user/assistant/user/assistant" } },
    { error: { message: "Unexpected role 'system' after the user's message" } },
    { detail: [extra("messages", 0, "user", "name")] },
    { error: { message: "Unsupported parameter: 'temperature'", param: "temperature" } },
    { error: { message: "The stream was not accepted by the user" } },
    "",
    "{}",
    "[".repeat(100_000),
    "x".repeat(2_000_000),
  ])("an error about something else names none: %j", (body) => {
    expect(refusedIn(body)).toEqual([]);
  });

  test("only fields that the server added are looked for", () => {
    expect(refusedFields(JSON.stringify(openai("max_tokens")), ["stream_options"])).toEqual([]);
    expect(refusedFields(JSON.stringify(openai("max_tokens")), [])).toEqual([]);
  });
});
