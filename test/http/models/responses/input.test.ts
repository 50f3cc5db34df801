import { describe, expect, test } from "bun:test";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import { countingContext } from "../../../support/translated-responses.ts";

const messagesOf = (input: unknown, rest: object = {}) =>
  translateResponses({ model: "m", input, ...rest }, countingContext()).request["messages"];
const user = (content: unknown) => ({ role: "user", content });
const toolCall = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

describe("the input", () => {
  test("an input that is text becomes the user's message, after the instructions", () => {
    expect(messagesOf("Hi", { instructions: "Be brief." })).toEqual([
      { role: "system", content: "Be brief." },
      user("Hi"),
    ]);
  });

  test("an input may hold messages of every role, with or without a type, and developer becomes system", () => {
    const input = [
      { role: "developer", content: "One." },
      { type: "message", role: "system", content: [{ type: "input_text", text: "Two." }] },
      { role: "user", content: [{ type: "input_text", text: "Q" }] },
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "A", annotations: [] }],
      },
      { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      { role: "user", content: "Q2" },
    ];
    expect(messagesOf(input)).toEqual([
      { role: "system", content: "One.\n\nTwo." },
      user("Q"),
      { role: "assistant", content: "A\n\nNo." },
      user("Q2"),
    ]);
  });

  test("images, by URL or as data, keep their place between the texts", () => {
    const data = "data:image/png;base64,iVBORw0KGgo=";
    const content = [
      { type: "input_text", text: "Which?" },
      { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
      { type: "input_image", image_url: data, detail: "original" },
      { type: "input_text", text: "Say." },
    ];
    expect(messagesOf([user(content)])).toEqual([
      user([
        { type: "text", text: "Which?" },
        { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
        { type: "image_url", image_url: { url: data, detail: "high" } },
        { type: "text", text: "Say." },
      ]),
    ]);
  });

  test("a turn of text and parallel calls is one message, with the results right after it", () => {
    const input = [
      user("Weather?"),
      { type: "message", role: "assistant", content: "Let me see." },
      { type: "function_call", id: "fc_1", call_id: "a", name: "weather", arguments: '{"city": "Paris"}' },
      { type: "function_call", id: "fc_2", call_id: "b", name: "weather", arguments: '{"city": "Rome"}' },
      { type: "function_call_output", call_id: "a", output: "rain" },
      { type: "function_call_output", call_id: "b", output: [{ type: "input_text", text: "sun" }] },
      { type: "message", role: "assistant", content: "Rain and sun." },
    ];
    expect(messagesOf(input)).toEqual([
      user("Weather?"),
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [
          toolCall("a", "weather", '{"city": "Paris"}'),
          toolCall("b", "weather", '{"city": "Rome"}'),
        ],
      },
      { role: "tool", tool_call_id: "a", content: "rain" },
      { role: "tool", tool_call_id: "b", content: "sun" },
      { role: "assistant", content: "Rain and sun." },
    ]);
  });

  test("no text comes between a call and its result", () => {
    const input = [
      { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
      { type: "message", role: "assistant", content: "Running." },
      { type: "message", role: "assistant", content: "Still." },
      { type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }] },
      { type: "function_call_output", call_id: "a", output: "done" },
    ];
    expect(messagesOf(input)).toEqual([
      {
        role: "assistant",
        content: "Running.\n\nStill.",
        reasoning_content: "Hm.",
        tool_calls: [toolCall("a", "f", "{}")],
      },
      { role: "tool", tool_call_id: "a", content: "done" },
    ]);
  });

  test("images of a tool's output come in a message after all results", () => {
    const image = { type: "input_image", image_url: "data:image/png;base64,AA==" };
    const input = [
      { type: "function_call", call_id: "a", name: "view", arguments: "{}" },
      { type: "function_call", call_id: "b", name: "view", arguments: "{}" },
      { type: "function_call_output", call_id: "a", output: [image] },
      { type: "function_call_output", call_id: "b", output: "none" },
      { role: "assistant", content: "Seen." },
      { type: "function_call_output", call_id: "c", output: [image] },
      user("And?"),
    ];
    expect(messagesOf(input)).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [toolCall("a", "view", "{}"), toolCall("b", "view", "{}")],
      },
      { role: "tool", tool_call_id: "a", content: "The output follows in the next message." },
      { role: "tool", tool_call_id: "b", content: "none" },
      user([
        { type: "text", text: "Output of the tool call a:" },
        { type: "image_url", image_url: { url: image.image_url } },
      ]),
      { role: "assistant", content: "Seen." },
      { role: "tool", tool_call_id: "c", content: "The output follows in the next message." },
      user([
        { type: "text", text: "Output of the tool call c:" },
        { type: "image_url", image_url: { url: image.image_url } },
        { type: "text", text: "And?" },
      ]),
    ]);
  });

  test("only the reasoning since the last question is sent back to the model", () => {
    const reasoning = (text: string) => ({
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text }],
    });
    const input = [
      user("One?"),
      reasoning("old"),
      { role: "assistant", content: "1" },
      user("Two?"),
      reasoning("new"),
      { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "a", output: "2" },
      {
        type: "reasoning",
        summary: [],
        content: [{ type: "reasoning_text", text: "newer" }],
        encrypted_content: "x",
      },
    ];
    expect(messagesOf(input)).toEqual([
      user("One?"),
      { role: "assistant", content: "1" },
      user("Two?"),
      { role: "assistant", content: null, reasoning_content: "new", tool_calls: [toolCall("a", "f", "{}")] },
      { role: "tool", tool_call_id: "a", content: "2" },
    ]);
  });

  test("references to reasoning and searches made elsewhere are left out", () => {
    const input = [
      user("Q"),
      { type: "item_reference", id: "rs_12" },
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
    ];
    expect(messagesOf(input)).toEqual([user("Q")]);
  });
});

test.each([
  ["", "{}"],
  ["null", "{}"],
  ['{"city": "Par', '{"INVALID_JSON":"{\\"city\\": \\"Par"}'],
])("arguments of the history are the text of an object, even if they were %j", (given, expected) => {
  const input = [
    user("Q"),
    { type: "function_call", call_id: "a", name: "f", arguments: given },
    { type: "function_call_output", call_id: "a", output: "no" },
  ];
  expect(messagesOf(input)).toMatchObject([{}, { tool_calls: [toolCall("a", "f", expected)] }, {}]);
});
