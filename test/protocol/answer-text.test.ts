import { expect, test } from "bun:test";
import { textIn } from "../../src/protocol/answer-text.ts";

const chat = (delta: object) => ({
  id: "c1",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta }],
});

test.each([
  ["a chunk of a chat", chat({ role: "assistant", content: "Hi" }), "Hi"],
  ["a chunk with parts", chat({ content: [{ type: "text", text: "Hi" }, "ho"] }), "Hiho"],
  ["a chunk of reasoning", chat({ reasoning_content: "Hm" }), "Hm"],
  [
    "a tool call in a chunk",
    chat({ tool_calls: [{ index: 0, id: "call_1", function: { name: "look", arguments: '{"a":1}' } }] }),
    '{"a":1}',
  ],
  ["the end of a chat", { choices: [{ delta: {}, finish_reason: "stop" }] }, ""],
  ["a whole chat", { model: "m", choices: [{ message: { content: "Hi", refusal: null } }] }, "Hi"],
  ["a completion", { choices: [{ text: "Hi", index: 0 }] }, "Hi"],
  ["an event of responses", { type: "response.output_text.delta", item_id: "i", delta: "Hi" }, "Hi"],
  [
    "a whole response",
    {
      output: [{ type: "message", content: [{ type: "output_text", text: "Hi" }] }],
      reasoning: { effort: "low" },
      text: { format: { type: "text" } },
    },
    "Hi",
  ],
  ["an event of messages", { type: "content_block_delta", delta: { type: "text_delta", text: "Hi" } }, "Hi"],
  ["a tool's input in messages", { content: [{ type: "tool_use", name: "t", input: { a: 1 } }] }, '{"a":1}'],
  ["embeddings", { data: [{ embedding: [0.1] }], model: "m" }, ""],
  ["no answer", undefined, ""],
  ["a text", "Hi", ""],
  ["null", null, ""],
])("the text in %s is what the model wrote", (_, value, text) => {
  expect(textIn(value)).toBe(text);
});
