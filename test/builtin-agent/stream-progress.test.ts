import { describe, expect, test } from "bun:test";
import { StreamProgress } from "../../src/builtin-agent/stream-progress.ts";

function after(...events: unknown[]) {
  const progress = new StreamProgress();
  for (const event of events) progress.note(typeof event === "string" ? event : JSON.stringify(event));
  const { usage } = progress;
  return { usage };
}
const choice = (finishReason: string | null) => ({ choices: [{ delta: {}, finish_reason: finishReason }] });

describe("usage", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 5 };

  test.each<[string, unknown[]]>([
    ["the last chunk", [choice("stop"), { choices: [], usage: { ...usage, total_tokens: 8 } }, "[DONE]"]],
    [
      "the last of several reports",
      [{ usage: { prompt_tokens: 3, completion_tokens: 1 } }, { usage: usage }],
    ],
    [
      "the last event of responses",
      [{ type: "response.completed", response: { usage: { input_tokens: 3, output_tokens: 5 } } }],
    ],
    [
      "two events of messages",
      [
        { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
        { type: "message_stop" },
      ],
    ],
  ])("usage is taken from %s", (_, events) => {
    expect(after(...events).usage).toEqual(usage);
  });

  test("usage that is null, torn or invalid is left out", () => {
    for (const usage of [null, {}, { prompt_tokens: -1 }, { prompt_tokens: "3" }, { prompt_tokens: 1.5 }])
      expect(after({ choices: [], usage }).usage).toBeUndefined();
    expect(after({ choices: [{ delta: { content: '"usage":{"prompt_tokens":3}' } }] }).usage).toBeUndefined();
  });
});
