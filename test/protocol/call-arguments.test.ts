import { expect, test } from "bun:test";
import { argumentsJson, argumentsObject, inputJson } from "../../src/protocol/call-arguments.ts";

test.each([
  ["", {}],
  [" \n", {}],
  ["null", {}],
  ['{"a":1}', { a: 1 }],
  ['{"a":', { INVALID_JSON: '{"a":' }],
  ["[1]", { INVALID_JSON: "[1]" }],
  ['"text"', { INVALID_JSON: '"text"' }],
  [`{"a":${"[".repeat(300)}`, { INVALID_JSON: `{"a":${"[".repeat(300)}` }],
])("the arguments %j of a call become the object %j", (text, expected) => {
  expect(argumentsObject(text)).toEqual(expected);
  expect(JSON.parse(argumentsJson(text))).toEqual(expected);
});

test("arguments of the history that are an object stay as they are, byte for byte", () => {
  expect(argumentsJson(' { "a":1.0 }')).toBe(' { "a":1.0 }');
});

test.each<[unknown, string]>([
  [null, "{}"],
  [{ a: 1 }, '{"a":1}'],
  ["text", '{"INVALID_JSON":"\\"text\\""}'],
  [[1], '{"INVALID_JSON":"[1]"}'],
])("the input %j of a call in the history is sent as %s", (input, expected) => {
  expect(inputJson(input)).toBe(expected);
});
