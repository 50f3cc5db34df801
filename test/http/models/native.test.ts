import { describe, expect, test } from "bun:test";
import { openaiStyle } from "../../../src/http/errors/openai.ts";
import { nativePlan } from "../../../src/http/models/native.ts";

const REQUEST = {
  ...{ text: "{}", entries: [], body: { model: "m", stream: true }, stream: true },
  ...{ passesLists: () => true, headers: {}, style: openaiStyle },
};

/** Returns what a caller who did not ask for the usage is sent of a delta. */
function shown(data: string): string | undefined {
  return nativePlan("chat/completions", REQUEST).stream().push({ data })[0]?.data;
}

test.each([
  ['{"choices":[{}],"usage":null}', '{"choices":[{}]}'],
  ['{"usage":null,"choices":[{}]}', '{"choices":[{}]}'],
  ['{"usage":1,"choices":[{}],"usage":null}', '{"choices":[{}]}'],
  ['{"choices":[{}],"x":{"a":1,"usage":null}}', '{"choices":[{}],"x":{"a":1,"usage":null}}'],
  ['{"choices":[{"a":",\\"usage\\":null}"}]}', '{"choices":[{"a":",\\"usage\\":null}"}]}'],
  ['{"choices":[{"a":"\\"usage\\""}],"usage":null}', '{"choices":[{"a":"\\"usage\\""}]}'],
  ['{"choices":[,"usage":null}', '{"choices":[,"usage":null}'],
])("a delta of a caller who did not ask for the usage loses only its null usage: %s", (data, expected) => {
  expect(shown(data)).toBe(expected);
});

const USAGE = '"usage":{"prompt_tokens":3,"completion_tokens":1}';
test.each([
  [`{"choices":[],${USAGE}}`, undefined],
  [`{"choices":null,${USAGE}}`, undefined],
  [`{"id":"c",${USAGE}}`, undefined],
  [
    `{"choices":[{"delta":{},"finish_reason":"stop"}],${USAGE}}`,
    '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
  ],
  [`{${USAGE},"choices":[{"delta":{"content":"a"}}]}`, '{"choices":[{"delta":{"content":"a"}}]}'],
  [`{"choices":[],"error":"",${USAGE}}`, undefined],
  [`{"choices":[],"error":{"message":"no"},${USAGE}}`, '{"choices":[],"error":{"message":"no"}}'],
])("usage that the caller did not ask for is removed in every form: %s", (data, expected) => {
  expect(shown(data)).toBe(expected);
});

describe("answers without choices", () => {
  const plan = () => nativePlan("chat/completions", REQUEST);
  const stream = (...data: string[]) => {
    const opened = plan().stream();
    const events = data.flatMap((one) => opened.push({ data: one }));
    return [...events, ...opened.end()].map((event) => event.data);
  };

  test.each<[string[]]>([[["[DONE]"]], [[]], [['{"choices":[],"prompt_filter_results":[]}', "[DONE]"]]])(
    "a stream with only these events is a failure, not an empty answer: %j",
    (data) => {
      expect(() => stream(...data)).toThrow("could not answer");
    },
  );

  test("a stream with an error or a choice is passed on", () => {
    expect(stream('{"error":{"message":"no"}}', "[DONE]")).toEqual(['{"error":{"message":"no"}}', "[DONE]"]);
    expect(stream('{"choices": [ {"delta":{}}]}', "[DONE]")).toHaveLength(2);
  });

  test("a whole answer whose choices are not a list is refused", () => {
    expect(() => plan().answer('{"choices": null,"usage":{}}')).toThrow("convert");
    expect(() => plan().answer('{"choices":{"0":{}}}')).toThrow("convert");
    const good = '{"choices":[{"message":{"content":"\\"choices\\":null"}}]}';
    expect(plan().answer(good)).toBe(good);
    // Some upstreams send the arguments of a call as an object.
    const call = '{"choices":[{"message":{"tool_calls":[{"function":{"arguments":{"choices":null}}}]}}]}';
    expect(plan().answer(call)).toBe(call);
  });
});
