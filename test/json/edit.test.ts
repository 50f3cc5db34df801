import { expect, test } from "bun:test";
import { removeField, setFields } from "../../src/json/edit.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

test.each([
  ['{"model":"a","x":1.0}', '{"model":"b","x":1.0}'],
  ['{ "x" : 1e3 , "model" : "a" }', '{ "x" : 1e3 , "model" : "b" }'],
  ["{}", '{"model":"b"}'],
  [" { } ", ' { "model":"b"} '],
  ['{"x":{"model":"inner"}}', '{"x":{"model":"inner"},"model":"b"}'],
  ['{"model":"a","model":"c"}', '{"model":"a","model":"b"}'],
  ['{"\\u006dodel":"a"}', '{"\\u006dodel":"b"}'],
  ['{"a":"}{\\"model\\":","model":null}', '{"a":"}{\\"model\\":","model":"b"}'],
])("setFields changes only the value of a field, or adds the field at the end: %s", (text, expected) => {
  expect(setFields(text, { model: "b" })).toBe(expected);
});

test.each([
  ["{}", '{"a":1,"b":2}'],
  ['{"b":0, "c":[{}],"a":0 }', '{"b":2, "c":[{}],"a":1 }'],
  ['{"c":1.0,"b":{"a":0}}', '{"c":1.0,"b":2,"a":1}'],
])("setFields changes several fields at once: %s", (text, expected) => {
  expect(setFields(text, { a: 1, b: 2 })).toBe(expected);
});

test.each([
  ['{"a":1,"usage":null}', '{"a":1}'],
  ['{"usage":null,"a":1}', '{"a":1}'],
  ['{"a":1,"usage":{"b":[1,2]},"c":2}', '{"a":1,"c":2}'],
  ['{"usage":null}', "{}"],
  ['{"a":{"usage":null}}', '{"a":{"usage":null}}'],
])("removeField removes the field and its comma: %s", (text, expected) => {
  expect(removeField(text, "usage")).toBe(expected);
});

const seed = chooseSeed();

test(`setFields and removeField keep all other fields of any object (SEED=${seed})`, () => {
  const random = createRandom(seed);
  for (let count = 0; count < 2_000; count++) {
    const object = anyObject(random, 3);
    const text = JSON.stringify(object, null, random.pick([0, 0, 1, 2]));
    expect(JSON.parse(setFields(text, { model: "b" }))).toEqual({ ...object, model: "b" });
    const { model: _, ...rest } = object;
    expect(JSON.parse(removeField(text, "model"))).toEqual(rest);
  }
});

function anyObject(random: Random, depth: number): Record<string, unknown> {
  const keys = ["model", "a", 'q"uote', "back\\slash", "}", "ключ", ""];
  const entries = Array.from({ length: random.below(5) }, () => [random.pick(keys), anyValue(random, depth)]);
  return Object.fromEntries(entries);
}

function anyValue(random: Random, depth: number): unknown {
  const plain = ["", 'a"b', "\\", "{[,]}", "\u2028", 0, -1.5, 1e21, true, null, [], {}];
  if (depth === 0 || random.next() < 0.5) return random.pick<unknown>(plain);
  if (random.next() < 0.5) return anyObject(random, depth - 1);
  return Array.from({ length: random.below(4) }, () => anyValue(random, depth - 1));
}
