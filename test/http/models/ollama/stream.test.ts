import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../src/errors.ts";
import { translateChat, translateGenerate } from "../../../../src/http/models/ollama/translate.ts";

const MESSAGES = [{ role: "user", content: "Hi" }];
const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
});
const USAGE = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } };

/** Returns the lines for these chunks, each of which comes 10 ms after the one before. */
function linesOf(chunks: readonly object[], fields: object = {}, isWhole = true) {
  let now = 0;
  const stream = translateChat(
    { model: "m", messages: MESSAGES, ...fields },
    { newId: () => "1", now: () => now },
  ).stream();
  const events = chunks.flatMap((one) => {
    now += 10;
    return stream.push({ data: JSON.stringify(one) });
  });
  now += 10;
  return [...events, ...(isWhole ? stream.end() : [])].map(({ data }) => JSON.parse(data));
}

const said = (content: string, more: object = {}) => ({
  message: { role: "assistant", content, ...more },
  done: false,
});

test("text and thoughts come as lines, and the last one has the reason, the times and the counts", () => {
  const lines = linesOf([
    chunk({ reasoning: "hm" }),
    chunk({ content: "a" }),
    chunk({ content: "b" }, "stop"),
    USAGE,
  ]);
  expect(lines).toEqual([
    { model: "m", created_at: "1970-01-01T00:00:00.010Z", ...said("", { thinking: "hm" }) },
    { model: "m", created_at: "1970-01-01T00:00:00.020Z", ...said("a") },
    { model: "m", created_at: "1970-01-01T00:00:00.030Z", ...said("b") },
    {
      ...{ model: "m", created_at: "1970-01-01T00:00:00.050Z", ...said(""), done: true, done_reason: "stop" },
      ...{
        total_duration: 50_000_000,
        load_duration: 0,
        prompt_eval_duration: 10_000_000,
        eval_duration: 40_000_000,
      },
      ...{ prompt_eval_count: 5, eval_count: 2 },
    },
  ]);
});

test("thoughts are not shown to those who do not want them, and counts that nobody told are missing", () => {
  const lines = linesOf([chunk({ reasoning: "hm" }), chunk({ content: "a" }, "length")], { think: false });
  expect(lines.map(({ message }) => message)).toEqual([
    { role: "assistant", content: "a" },
    { role: "assistant", content: "" },
  ]);
  expect(lines.at(-1)).toMatchObject({ done: true, done_reason: "length" });
  expect(lines.at(-1)).not.toHaveProperty("eval_count");
});

const piece = (index: number, name: string, text: string) => ({
  index,
  ...(name && { id: `c${index}` }),
  function: { ...(name && { name }), arguments: text },
});

describe("calls of tools", () => {
  test("calls in pieces are sent whole, with arguments as an object, before the usage comes", () => {
    const chunks = [
      chunk({ tool_calls: [piece(0, "f", '{"a"')] }),
      chunk({ tool_calls: [piece(0, "", ":1}"), piece(1, "g", "")] }),
      chunk({}, "tool_calls"),
    ];
    const [calls] = linesOf(chunks, {}, false);
    expect(calls.message.tool_calls).toEqual([
      { id: "c0", function: { index: 0, name: "f", arguments: { a: 1 } } },
      { id: "c1", function: { index: 1, name: "g", arguments: {} } },
    ]);
    expect(linesOf([...chunks, USAGE]).at(-1)).toMatchObject({
      done: true,
      done_reason: "stop",
      eval_count: 2,
    });
  });

  test.each([
    ["without a name", [chunk({ tool_calls: [piece(0, "", "{}")] }, "tool_calls")]],
    [
      "that goes on after the end",
      [
        chunk({ tool_calls: [piece(0, "f", "{}")] }, "tool_calls"),
        chunk({ tool_calls: [piece(0, "", "x")] }),
      ],
    ],
  ])("a call %s fails the answer", (_, chunks) => {
    const lines = linesOf(chunks);
    expect(lines.at(-1)).toEqual({ error: expect.stringContaining("tool call") });
    expect(lines.some(({ done }) => done)).toBe(false);
  });
});

test("an error of the upstream, and one of the server, is a last line with a text", () => {
  const lines = linesOf([
    chunk({ content: "a" }),
    { error: { message: "out of memory" } },
    chunk({ content: "b" }),
  ]);
  expect(lines).toMatchObject([said("a"), { error: "out of memory" }]);
  expect(lines).toHaveLength(2);
  const stream = translateChat(
    { model: "m", messages: MESSAGES },
    { newId: () => "1", now: () => 0 },
  ).stream();
  const [failed] = stream.fail(new AppError("agent_lost"), "r");
  expect(JSON.parse(failed?.data ?? "")).toEqual({ error: "The agent was lost." });
});

test("log probabilities come with their text, and generate has its own field for it", () => {
  const logprobs = {
    content: [{ token: "a", logprob: -0.1, top_logprobs: [{ token: "a", logprob: -0.1 }] }],
  };
  const [line] = linesOf(
    [{ choices: [{ index: 0, delta: { content: "a" }, logprobs, finish_reason: null }] }],
    {},
    false,
  );
  expect(line).toMatchObject({ ...said("a"), logprobs: logprobs.content });
  const translation = translateGenerate(
    { model: "m", prompt: "Hi", raw: true },
    { newId: () => "1", now: () => 0 },
  );
  const body = { choices: [{ index: 0, text: "there", finish_reason: "stop" }], usage: USAGE.usage };
  expect(JSON.parse(translation.answer(JSON.stringify(body), "other"))).toMatchObject({
    ...{
      model: "other",
      response: "there",
      done: true,
      done_reason: "stop",
      prompt_eval_count: 5,
      eval_count: 2,
    },
  });
});
