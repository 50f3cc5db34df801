import { expect, test } from "bun:test";
import { offeredName, otherName } from "../../src/protocol/model-name.ts";

test.each<[string, string | undefined]>([
  ["llama3.2", "llama3.2:latest"],
  ["llama3.2:latest", "llama3.2"],
  ["llama3.2:1b", undefined],
  ["hf.co/a/b", "hf.co/a/b:latest"],
  ["hf.co/a/b:Q4_K_M", undefined],
  ["localhost:5000/llama", "localhost:5000/llama:latest"],
  ["localhost:5000/llama:latest", "localhost:5000/llama"],
  [":latest", undefined],
])("the other name of %j is %p", (name, expected) => {
  expect(otherName(name)).toBe(expected as string);
});

test.each<[string, string[], string[], string]>([
  ["m", ["m:latest"], ["m:latest"], "m:latest"],
  ["m:latest", ["m"], ["m"], "m"],
  ["m", ["m", "m:latest"], ["m", "m:latest"], "m"],
  ["m:latest", ["m", "m:latest"], ["m", "m:latest"], "m:latest"],
  ["m", [], ["m:latest"], "m:latest"],
  ["m", [], ["m", "m:latest"], "m"],
  ["m", ["m:latest"], ["m", "m:latest"], "m:latest"],
  ["m:1b", ["m:latest"], ["m:latest"], "m:1b"],
  ["m", [], [], "m"],
])("the name %j stands, if %j is offered and %j is known, for %j", (name, offered, known, expected) => {
  const models = {
    offersModel: (id: string) => offered.includes(id),
    knowsModel: (id: string) => known.includes(id),
  };
  expect(offeredName(name, models)).toBe(expected);
});
