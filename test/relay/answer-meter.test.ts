import { describe, expect, test } from "bun:test";
import { AnswerMeter } from "../../src/relay/answer-meter.ts";

type Events = readonly (readonly [data: object | string, event?: string | undefined])[];

function measured(events: Events): AnswerMeter {
  const meter = new AnswerMeter();
  for (const [data, event] of events)
    meter.note({ data: typeof data === "string" ? data : JSON.stringify(data), event });
  return meter;
}

const chunk = (delta: object, more: object = {}) => ({
  ...{ id: "chatcmpl-123456789", object: "chat.completion.chunk", created: 1763885414, model: "a model" },
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const say = (text: string) => [chunk({ content: text })] as const;
const usage = { prompt_tokens: 11, completion_tokens: 7 };

describe("the estimated tokens of a stream", () => {
  test("a piece is a token at least, whatever is around it", () => {
    const words = Array.from({ length: 500 }, () => say("word "));
    expect(measured([[chunk({ role: "assistant", content: "" })], ...words]).estimateTokens()).toBeWithin(
      500,
      640,
    );
    expect(measured(Array.from({ length: 300 }, () => say("字"))).estimateTokens()).toBe(300);
  });

  test("large pieces count by their text", () => {
    const text = "four letters make about a token. ".repeat(20);
    const tokens = text.length / 4;
    const meter = measured([[chunk({ role: "assistant", content: "" })], ...Array(50).fill(say(text))]);
    expect(Math.abs(meter.estimateTokens() / (50 * tokens) - 1)).toBeLessThan(0.05);
    const chinese = "日本語中".repeat(50);
    expect(measured(Array(50).fill(say(chinese))).estimateTokens()).toBeWithin(50 * 145, 50 * 155);
    const one = measured([say("word ".repeat(40_000))]).estimateTokens();
    expect(one).toBeWithin(50_000, 50_100);
  });

  test("a short answer counts by its text, whatever else its events have", () => {
    const meter = measured([
      [chunk({ role: "assistant", content: "" })],
      say("four"),
      [{ error: { message: "the upstream failed ".repeat(100) } }],
    ]);
    expect(meter.estimateTokens()).toBe(1);
    expect(measured([say("x".repeat(400)), [chunk({}, { usage })]]).estimateTokens()).toBe(100);
  });

  test.each([
    ["reasoning", (text: string) => chunk({ reasoning_content: text })],
    [
      "arguments of a tool call",
      (text: string) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
    ],
    ["a completion", (text: string) => ({ id: "cmpl", choices: [{ index: 0, text, finish_reason: null }] })],
  ])("the text of %s counts", (_, event) => {
    const meter = measured(
      Array.from({ length: 30 }, () => [event("a piece of sixty-four letters".padEnd(64, "."))]),
    );
    expect(meter.estimateTokens()).toBeWithin(470, 491);
  });

  test.each([true, false])(
    "events of messages without text do not count (events with names: %p)",
    (isNamed) => {
      const event = (data: { type: string; [field: string]: unknown }) =>
        [data, isNamed ? data.type : undefined] as const;
      const meter = measured([
        event({
          type: "message_start",
          message: { id: "msg", content: [], usage: { input_tokens: 25 } },
        }),
        event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
        ...Array(40).fill(event({ type: "ping" })),
        ...Array.from({ length: 20 }, () =>
          event({
            type: "content_block_delta",
            index: 0,
            delta: { type: "text_delta", text: "eightcharacters " },
          }),
        ),
      ]);
      expect(meter.estimateTokens()).toBeWithin(80, 90);
      expect(meter.usage).toEqual({ prompt_tokens: 25, completion_tokens: 0 });
    },
  );

  test.each([true, false])("events of responses that repeat the text do not count (names: %p)", (isNamed) => {
    const event = (data: { type: string; [field: string]: unknown }) =>
      [data, isNamed ? data.type : undefined] as const;
    const all = "eightcharacters ".repeat(20);
    const meter = measured([
      event({ type: "response.created", response: { instructions: "be good ".repeat(10_000) } }),
      ...Array.from({ length: 20 }, (_, at) =>
        event({
          type: "response.output_text.delta",
          sequence_number: at,
          delta: "eightcharacters ",
        }),
      ),
      event({ type: "response.output_text.done", text: all }),
      event({ type: "response.content_part.done", part: { text: all } }),
      event({ type: "response.output_item.done", item: { content: [{ text: all }] } }),
    ]);
    expect(meter.estimateTokens()).toBeWithin(80, 90);
  });

  test("an answer that has not begun has no tokens, and strange events have few", () => {
    expect(new AnswerMeter().hasBegun).toBe(false);
    expect(new AnswerMeter().estimateTokens()).toBe(0);
    const strange = measured([["not JSON"], ["[]"], ["null"], ['{"a":1}']]);
    expect(strange.hasBegun).toBe(true);
    expect(strange.estimateTokens()).toBe(0);
    const more = measured(Array.from({ length: 9 }, () => ['{"a":1}'] as const));
    expect(more.estimateTokens()).toBe(9);
    expect(strange.usage).toBeUndefined();
  });
});

describe("the usage that the events of a stream report", () => {
  test.each<[string, Events]>([
    ["the usage chunk of OpenAI", [say("a"), [chunk({}, { choices: [], usage })], ["[DONE]"]]],
    ["the last choice", [say("a"), [chunk({}, { usage })]]],
    [
      "each chunk",
      [[chunk({ content: "a" }, { usage: { ...usage, completion_tokens: 1 } })], [chunk({}, { usage })]],
    ],
    [
      "the end of messages",
      [
        [{ type: "message_start", message: { usage: { input_tokens: 11, output_tokens: 1 } } }],
        [{ type: "content_block_delta", delta: { text: "a" } }],
        [{ type: "message_delta", delta: {}, usage: { output_tokens: 7 } }],
        [{ type: "message_stop" }],
      ],
    ],
    [
      "the end of responses",
      [[{ type: "response.completed", response: { usage: { input_tokens: 11, output_tokens: 7 } } }]],
    ],
  ])("a usage is read from %s", (_, events) => {
    expect(measured(events).usage).toMatchObject(usage);
  });

  test.each<[string, Events]>([
    ["without a usage", [say("a")]],
    ["with a null usage", [[chunk({ content: "a" }, { usage: null })]]],
    ["with a usage that is quoted", [say('"usage": {"prompt_tokens": 1, "completion_tokens": 1}')]],
    [
      "with a usage that cannot be right",
      [[chunk({}, { usage: { prompt_tokens: 1e12, completion_tokens: -1 } })]],
    ],
  ])("an event %s reports none", (_, events) => {
    expect(measured(events).usage).toBeUndefined();
  });
});
