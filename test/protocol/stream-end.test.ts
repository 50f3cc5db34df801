import { describe, expect, test } from "bun:test";
import { isEndMark, StreamEnd } from "../../src/protocol/stream-end.ts";

function after(...events: unknown[]) {
  const end = new StreamEnd();
  for (const event of events) end.note(typeof event === "string" ? event : JSON.stringify(event));
  const { complete, final } = end;
  return { complete, final };
}
const choice = (finishReason: string | null) => ({ choices: [{ delta: {}, finish_reason: finishReason }] });

describe("the end of a stream", () => {
  test.each<[string, unknown, boolean]>([
    ["[DONE]", "[DONE]", true],
    ["a finish reason", choice("stop"), false],
    ["response.completed", { type: "response.completed", response: {} }, true],
    ["response.failed", { type: "response.failed" }, true],
    ["response.incomplete", { type: "response.incomplete" }, true],
    ["message_stop", { type: "message_stop" }, true],
    ["the last line of an Ollama", { model: "m", message: { content: "" }, done: true }, true],
    ["an error", { error: { message: "overloaded" } }, false],
    ["an error that is a text", { error: "overloaded" }, false],
    ["an error event", { type: "error", message: "overloaded" }, false],
  ])("a stream is complete after %s", (_, event, final) => {
    expect(after(choice(null), event)).toMatchObject({ complete: true, final });
  });

  test.each<[string, unknown]>([
    ["no finish reason", choice(null)],
    ["an empty finish reason", choice("")],
    ["a null error", { ...choice(null), error: null }],
    [
      "these words inside a text",
      { choices: [{ delta: { content: '{"finish_reason":"stop","error":{"a":1}}' } }] },
    ],
    ["[DONE] inside a text", { choices: [{ delta: { content: "[DONE]" } }] }],
    ["a type inside a text", { choices: [{ delta: { content: '"type":"message_stop"' } }] }],
    ["a torn event", '{"choices":[{"finish_reason":"stop"'],
    ["an ordinary event", { type: "response.output_text.delta", delta: "x" }],
  ])("a stream is not complete after %s", (_, event) => {
    expect(after(event).complete).toBe(false);
  });
});

describe("the end of a stream with several choices", () => {
  const piece = (index: number, finishReason: string | null = null) => ({
    choices: [{ index, delta: { content: "x" }, finish_reason: finishReason }],
  });

  test("the stream is complete once each choice has ended, in whichever order", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const pieces = [piece(0), piece(1), piece(2)];
      const ends = order.map((index) => piece(index, "stop"));
      expect(after(...pieces, ...ends.slice(0, 1)).complete).toBe(false);
      expect(after(...pieces, ...ends.slice(0, 2)).complete).toBe(false);
      expect(after(...pieces, ...ends).complete).toBe(true);
    }
  });

  test("only the line itself says that it is the last one, and a chunk with choices does not", () => {
    const inside = { message: { tool_calls: [{ function: { arguments: { done: true } } }] }, done: false };
    expect(after(inside)).toEqual({ complete: false, final: false });
    expect(after({ choices: [{ delta: {} }], done: true })).toEqual({ complete: false, final: false });
    expect(after({ message: { content: '"done":true' }, done: false }).complete).toBe(false);
  });

  test("an index that no choice can have counts as the first choice", () => {
    for (const index of [-1, 1.5, 1e9, "2", null]) {
      const choices = [{ index, delta: {}, finish_reason: "stop" }];
      expect(after({ choices }).complete).toBe(true);
    }
  });

  test("the index of a tool call is not that of a choice", () => {
    const call = { index: 3, id: "call_1", function: { name: "write", arguments: "{}" } };
    const calling = { choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }] };
    expect(after(calling, piece(0, "tool_calls")).complete).toBe(true);
  });

  test("every choice with its end mark ends a stream whose last blank line is missing", () => {
    expect(isEndMark(JSON.stringify(piece(1, "stop")))).toBe(true);
    expect(isEndMark(JSON.stringify(piece(1)))).toBe(false);
  });
});
