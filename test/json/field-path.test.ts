import { expect, test } from "bun:test";
import { fieldPath } from "../../src/json/field-path.ts";

test.each<[string, PropertyKey[], string | undefined]>([
  ["", [], undefined],
  ["messages[0].content", ["messages", 0, "content"], undefined],
  ["input[3].content[0]", ["content", 0], "input[3]"],
  ["input[3]", [], "input[3]"],
  ["tools[1]", [1], "tools"],
  ["[0].id", [0, "id"], undefined],
  ['schema["a b"]["0"]["x-y"].z', ["schema", "a b", "0", "x-y", "z"], undefined],
])("the path of a field is written as %s", (written, keys, start) => {
  expect(fieldPath(keys, start)).toBe(written);
});
