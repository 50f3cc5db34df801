import { expect, test } from "bun:test";
import { withoutAdded } from "../../../src/http/models/added-fields.ts";
import { ADDED_FIELDS, type AddedField } from "../../../src/protocol/added-fields.ts";

const tool = (strict?: boolean) => ({
  type: "function",
  function: { name: "f", ...(strict !== undefined && { strict }) },
});
const REQUEST = {
  model: "m",
  messages: [
    { role: "user", content: "hi" },
    { role: "assistant", content: "a", reasoning_content: "r" },
  ],
  tools: [tool(false), tool(true)],
  response_format: { type: "json_schema", json_schema: { name: "answer", schema: {}, strict: true } },
  max_tokens: 9,
  temperature: 0.5,
  user: "u",
  reasoning_effort: "low",
  verbosity: "low",
  parallel_tool_calls: false,
  stream: true,
  stream_options: { include_usage: true },
};

const without = (...refused: AddedField[]) => withoutAdded(REQUEST, new Set(refused));

test("each added field can be left out by itself, and nothing else changes", () => {
  for (const name of [
    "stream_options",
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
    "user",
  ] as const) {
    const { [name]: _, ...rest } = REQUEST;
    expect(without(name)).toEqual(rest);
  }
});

test("max_tokens gets its other name", () => {
  const { max_tokens, ...rest } = REQUEST;
  expect(without("max_tokens")).toEqual({ ...rest, max_completion_tokens: max_tokens } as never);
});

test("a request without stream has no stream_options either", () => {
  const { stream: _, stream_options: __, ...rest } = REQUEST;
  expect(without("stream")).toEqual(rest);
});

test("strict is taken back in the tools where it is false, and in the format of the answer", () => {
  expect(without("tools.strict")).toEqual({ ...REQUEST, tools: [tool(), tool(true)] });
  const json_schema = { name: "answer", schema: {} };
  expect(without("response_format.strict")).toEqual({
    ...REQUEST,
    response_format: { type: "json_schema", json_schema },
  });
});

test("reasoning is taken out of the messages", () => {
  const messages = REQUEST.messages.map(({ role, content }) => ({ role, content }));
  expect(without("messages.reasoning_content")).toEqual({ ...REQUEST, messages });
});

test("a request without the fields stays as it is", () => {
  const bare = { model: "m", messages: [] };
  expect(withoutAdded(bare, new Set(ADDED_FIELDS))).toEqual(bare);
});
