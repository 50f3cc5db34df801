import { expect, test } from "bun:test";
import { readNameList } from "../../src/dashboard/name-list.ts";

test("names are read from commas and lines, each once, and an empty list is undefined", () => {
  expect(readNameList(" llama3.3, qwen3:32b\nphi-4,,llama3.3 ")).toEqual(["llama3.3", "qwen3:32b", "phi-4"]);
  expect(readNameList(" ,\n ")).toBeUndefined();
});
