import { expect, test } from "bun:test";
import { readChunk } from "../../../../../src/dashboard/pages/try/chat/chat-chunk.ts";

const delta = (delta: unknown, more = {}) => JSON.stringify({ choices: [{ delta, ...more }], usage: null });

test("a chunk has the text, the reasoning under either name, or the refusal", () => {
  expect(readChunk(delta({ role: "assistant", content: "Hi" }))).toEqual({ text: "Hi" });
  expect(readChunk(delta({ content: null, reasoning_content: "Hm" }))).toEqual({ reasoning: "Hm" });
  expect(readChunk(delta({ content: "", reasoning: "Hm" }))).toEqual({ reasoning: "Hm" });
  expect(readChunk(delta({ refusal: "No." }))).toEqual({ text: "No." });
  expect(readChunk(delta({}, { finish_reason: "length" }))).toEqual({ finish: "length" });
});

test("a chunk has the token counts, with or without a choice beside them", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 0 };
  expect(readChunk(JSON.stringify({ choices: [], usage }))).toEqual({
    tokens: { input: 3, output: 0 },
  });
  expect(
    readChunk(JSON.stringify({ choices: [{ message: { content: "Hi" }, finish_reason: "stop" }], usage })),
  ).toEqual({ text: "Hi", finish: "stop", tokens: { input: 3, output: 0 } });
});

test("a chunk can be an error in either form, the end, or have no known content", () => {
  expect(readChunk('{"error":{"message":"No room"}}')).toEqual({ error: "No room" });
  expect(readChunk('{"error":"No room"}')).toEqual({ error: "No room" });
  expect(readChunk('{"error":{}}')).toEqual({ error: "The request failed." });
  expect(readChunk("[DONE]")).toEqual({ isLast: true });
  for (const data of ["null", "7", "{}", '{"choices":7}', '{"choices":[null]}', '{"usage":{}}'])
    expect(readChunk(data)).toEqual({});
  expect(readChunk('{"choi').error).toMatch(/not valid JSON/);
});
