import { expect, test } from "bun:test";
import { openaiStyle } from "../../../src/http/errors/openai.ts";
import { nativePlan } from "../../../src/http/models/native.ts";

/** Returns what a caller who did not ask for the usage is sent of a delta. */
function shown(data: string): string | undefined {
  const body = { model: "m", stream: true };
  const request = { text: "{}", entries: [], body, model: "m", headers: {}, style: openaiStyle };
  return nativePlan("chat/completions", request).stream().push({ data })[0]?.data;
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
