import { expect, test } from "bun:test";
import { AppError } from "../../../../src/errors.ts";
import { ollamaStyle } from "../../../../src/http/errors/ollama.ts";
import { NativeLines } from "../../../../src/http/models/ollama/native-lines.ts";
import { failureOf } from "../../../support/store.ts";

const FIRST = '{"response":"a","done":false}';
const LAST = '{"response":"","done":true}';
const lines = (...data: string[]) => {
  const stream = new NativeLines(ollamaStyle);
  return { stream, sent: data.flatMap((one) => stream.push({ data: one }).map((event) => event.data)) };
};

test("lines pass unchanged, and nothing follows the last one", () => {
  const { stream, sent } = lines(FIRST, LAST, FIRST);
  expect(sent).toEqual([FIRST, LAST]);
  expect(stream.end()).toEqual([]);
  expect(stream.fail(new AppError("agent_lost"), "r")).toEqual([]);
});

test("an answer without a last line fails, whatever the agent says", async () => {
  expect(await failureOf(() => lines(FIRST).stream.end())).toMatchObject({ code: "agent_failed" });
  expect(lines(FIRST).stream.fail(new AppError("agent_lost"), "r")).toEqual([
    { event: "", data: '{"error":"The agent was lost."}' },
  ]);
});

test("chunks of a chat completion are not lines of Ollama", async () => {
  expect(await failureOf(() => lines('{"choices":[{"delta":{"content":"a"}}]}'))).toMatchObject({
    code: "agent_answer_invalid",
  });
});
