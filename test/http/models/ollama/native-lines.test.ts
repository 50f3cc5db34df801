import { expect, test } from "bun:test";
import { AppError } from "../../../../src/errors.ts";
import { ollamaStyle } from "../../../../src/http/errors/ollama.ts";
import { checkNativeAnswer, NativeLines } from "../../../../src/http/models/ollama/native-lines.ts";
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

test.each([
  "rubbish",
  "{",
  "null",
  "3",
  '"text"',
  "[1]",
  `${FIRST}\n${FIRST}`,
  '{"choices":[{"delta":{"content":"a"}}]}',
])("the line %j fails the answer, as clients cannot read it", (line) => {
  const strange = '{"error":"The agent\'s upstream sent something that is not an answer of Ollama\'s API."}';
  for (const before of [[], [FIRST]]) {
    const { stream, sent } = lines(...before, line, LAST);
    expect(sent).toEqual([...before, strange]);
    expect(stream.end()).toEqual([]);
    expect(stream.fail(new AppError("agent_lost"), "r")).toEqual([]);
  }
});

test("an empty line is left out", () => {
  expect(lines("", FIRST, "", LAST).sent).toEqual([FIRST, LAST]);
});

test.each([
  ['{"error":"out of memory"}', '{"error":"out of memory"}'],
  ['{"error":{"message":"out of memory","code":1}}', '{"error":"out of memory"}'],
  ['{"error":{}}', '{"error":"The upstream failed and gave no reason."}'],
])("the error in the line %s ends the answer as a text", (line, expected) => {
  const { stream, sent } = lines(FIRST, line, FIRST);
  expect(sent).toEqual([FIRST, expected]);
  expect(stream.end()).toEqual([]);
});

test("an answer that began and has no end is said to have ended early", async () => {
  expect(await failureOf(() => lines(FIRST).stream.end())).toMatchObject({
    extra: { err: "the upstream ended its answer early" },
  });
});

test.each([
  ["api/chat", '{"message":{"content":"a"},"done":true}'],
  ["api/generate", '{"response":"a","done":true}'],
  ["api/embed", '{"embeddings":[[0.5]]}'],
  ["api/embed", '{"embeddings": [ ]}'],
])("a whole answer of %s may be %s", (endpoint, body) => {
  expect(() => checkNativeAnswer(endpoint, body)).not.toThrow();
});

test.each([
  ["api/chat", '{"message":{"content":"a"},"done":false}'],
  ["api/chat", '{"choices":[{"message":{"content":"a"}}],"done":true}'],
  ["api/generate", "{}"],
  ["api/embed", '{"embeddings":"x"}'],
  ["api/embed", '{"embeddings":[1]}'],
  ["api/embed", '{"data":[{"embedding":[1]}]}'],
])("a whole answer of %s that is %s is not passed on", async (endpoint, body) => {
  expect(await failureOf(() => checkNativeAnswer(endpoint, body))).toMatchObject({
    code: "agent_answer_invalid",
  });
});
