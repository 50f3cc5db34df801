import { describe, expect, test } from "bun:test";
import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import { chunk, completion, countingContext, finish } from "../../support/translated-responses.ts";
import { type Seen, streamedTo, wholeTo } from "./both-translations.ts";

const DONE = "[DONE]";

/** Expects the same of both APIs. */
function expectBoth(seen: { messages: Seen; responses: Seen }, expected: Partial<Seen>): void {
  expect(seen.messages).toMatchObject(expected);
  expect(seen.responses).toMatchObject(expected);
}

describe("an answer in another form than that of a chunk", () => {
  const seen = { end: "complete", text: "Hello" };
  const choice = (rest: object) => JSON.stringify({ choices: [{ index: 0, ...rest }] });

  test("a whole message in an event is the answer", () => {
    expectBoth(streamedTo([completion({ content: "Hello" }), DONE]), seen);
    const tool_calls = ["a", "b"].map((id) => ({ id, function: { name: "now", arguments: "{}" } }));
    const calls = ["a", "b"].map((id) => ({ id, name: "now", input: {} }));
    expectBoth(streamedTo([completion({ tool_calls }, { finish_reason: "tool_calls" }), DONE]), { calls });
  });

  test("a text in place of a message, as for completions, is the answer, whole and streamed", () => {
    expectBoth(
      streamedTo([choice({ text: "Hel" }), choice({ text: "lo", finish_reason: "stop" }), DONE]),
      seen,
    );
    expectBoth(wholeTo(choice({ text: "Hello", finish_reason: "stop" })), seen);
  });

  test("a call in the older form is a call, whole and streamed", () => {
    const call = { name: "weather", arguments: '{"city":"Bonn"}' };
    const expected = [{ name: "weather", input: { city: "Bonn" } }];
    const pieces = [{ name: "weather", arguments: "" }, { arguments: '{"city":' }, { arguments: '"Bonn"}' }];
    for (const both of [
      streamedTo([...pieces.map((function_call) => chunk({ function_call })), finish("function_call"), DONE]),
      wholeTo(completion({ content: null, function_call: call }, { finish_reason: "function_call" })),
    ])
      for (const { end, calls } of [both.messages, both.responses]) {
        expect(end).toBe("complete");
        expect(calls.map(({ name, input }) => ({ name, input }))).toEqual(expected);
      }
  });

  test("pings of an upstream do not change the answer", () => {
    const ping = JSON.stringify({ type: "ping" });
    expectBoth(
      streamedTo([ping, chunk({ content: "Hel" }), ping, chunk({ content: "lo" }), finish("stop"), DONE]),
      seen,
    );
  });
});

test("a complete call and the next stay apart, however often the text looks like an end", () => {
  const pieces = ['{"a":"', "}", "}", '","b":{', "}", "}"];
  const first = pieces.map((text) => ({ index: 0, function: { name: "weather", arguments: text } }));
  const second = { index: 0, function: { name: "news", arguments: "{}" } };
  const data = [...first, second].map((call) => chunk({ tool_calls: [call] }));
  for (const seen of Object.values(streamedTo([...data, finish("tool_calls"), DONE])))
    expect(seen.calls.map(({ name, input }) => ({ name, input }))).toEqual([
      { name: "weather", input: { a: "}}", b: {} } },
      { name: "news", input: {} },
    ]);
});

test("a call whose id an earlier call of the conversation has gets another one", () => {
  const earlier = { id: "call_0", type: "function", function: { name: "now", arguments: "{}" } };
  const again = { index: 0, ...earlier };
  const message = translateMessages(
    {
      model: "m",
      max_tokens: 9,
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: [{ type: "tool_use", id: "call_0", name: "now", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_0", content: "noon" }] },
      ],
    },
    countingContext(),
  );
  const response = translateResponses(
    {
      model: "m",
      input: [
        { role: "user", content: "hi" },
        { type: "function_call", call_id: "call_0", name: "now", arguments: "{}" },
        { type: "function_call_output", call_id: "call_0", output: "noon" },
      ],
    },
    countingContext(),
  );
  for (const translation of [message, response]) {
    const whole = translation.answer(completion({ tool_calls: [earlier] }, { finish_reason: "tool_calls" }));
    const stream = translation.stream();
    const data = [chunk({ tool_calls: [again] }), finish("tool_calls"), DONE];
    const events = data.flatMap((one) => stream.push({ data: one })).map((event) => event.data);
    for (const text of [whole, events.join()]) {
      expect(text).toContain('"now"');
      expect(text).not.toContain("call_0");
    }
  }
});
