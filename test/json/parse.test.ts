import { expect, test } from "bun:test";
import { field, parseBoundedJson, parseJson, textField } from "../../src/json/parse.ts";

test("a JSON text is parsed, and anything else is undefined", () => {
  expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
  for (const text of ["", "{", "undefined", "{'a':1}"]) expect(parseJson(text)).toBeUndefined();
});

test("a JSON text that is nested too deeply is not parsed if it is from another program", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(parseBoundedJson(nested(200))).toBeArray();
  expect(parseBoundedJson(nested(300))).toBeUndefined();
  expect(parseBoundedJson("{")).toBeUndefined();
});

test("a property is read from any value, and is undefined if the value is not an object", () => {
  expect([field({ a: 1 }, "a"), field({}, "a"), field(null, "a"), field("a", "a")]).toEqual([
    1,
    undefined,
    undefined,
    undefined,
  ]);
  expect([textField({ a: "x" }, "a"), textField({ a: 1 }, "a")]).toEqual(["x", undefined]);
});
