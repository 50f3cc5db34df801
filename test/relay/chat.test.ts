import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { readChat } from "../../src/relay/chat.ts";

const THINKING = { type: "thinking", thinking: [{ type: "text", text: "a greeting" }] };

/** Returns the text of a streamed answer with these chunks, or the reason of its failure. */
function streamed(...chunks: object[]): string {
  const reader = readChat(() => {});
  for (const chunk of chunks) reader.delta({ data: JSON.stringify(chunk) });
  return ended(() => reader.end({ kind: "model", status: 200, body: undefined, usage: undefined }));
}

/** Does the same for an answer that is whole. */
function whole(body: object): string {
  const reader = readChat(() => {});
  return ended(() =>
    reader.end({ kind: "model", status: 200, body: JSON.stringify(body), usage: undefined }),
  );
}

function ended(end: () => string): string {
  try {
    return end();
  } catch (error) {
    if (error instanceof AppError && error.code === "agent_failed") return `failed: ${error.extra?.["err"]}`;
    throw error;
  }
}

const delta = (content: unknown, choice: object = {}) => ({ choices: [{ delta: { content }, ...choice }] });
const message = (content: unknown, choice: object = {}) => ({
  choices: [{ message: { content }, ...choice }],
});

test("content in parts is read for its text, whole and streamed", () => {
  expect(streamed(delta([THINKING]), delta("Hel"), delta([{ type: "text", text: "lo" }]))).toBe("Hello");
  expect(whole(message([THINKING, { type: "text", text: "Hello" }]))).toBe("Hello");
});

test("an error inside a choice, beside the choices or in a list fails the answer with its reason", () => {
  const error = { message: "Cut off.", code: 502 };
  for (const last of [delta("", { error }), { ...delta(""), error }, [{ error }]])
    expect(streamed(delta("Half"), last)).toBe("failed: Cut off.");
  expect(whole(message("Half", { error }))).toBe("failed: Cut off.");
  expect(whole([{ error }])).toBe("failed: Cut off.");
});

test.each(["error", "abort", "insufficient_system_resource"])(
  "an answer that ends with the finish reason %s has failed",
  (finish_reason) => {
    expect(streamed(delta("Half"), delta("", { finish_reason }))).toMatch(/^failed: The .*upstream/);
    expect(whole(message("Half", { finish_reason }))).toMatch(/^failed: The .*upstream/);
  },
);

test.each(["stop", "length", "content_filter", null])(
  "an answer with the finish reason %s is kept",
  (finish_reason) => {
    expect(streamed(delta("Hi"), delta("", { finish_reason }))).toBe("Hi");
    expect(whole(message("Hi", { finish_reason }))).toBe("Hi");
  },
);

test("chunks whose choices are null or absent do not fail an answer", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 1 };
  expect(streamed(delta("Hi"), { choices: null, usage }, { usage })).toBe("Hi");
});

test("only the first choice is read, wherever it is in its list", () => {
  const other = { index: 1, delta: { content: "other" }, message: { content: "other" } };
  const first = { index: 0, delta: { content: "Hi" }, message: { content: "Hi" } };
  expect(streamed({ choices: [other] }, { choices: [other, first] })).toBe("Hi");
  expect(whole({ choices: [other, first] })).toBe("Hi");
});

test("an answer without any choice or message has failed, however it ends", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 0 };
  for (const chunks of [[], [{ choices: [], usage }]])
    expect(streamed(...chunks)).toBe("failed: The agent's upstream ended the answer before it began.");
  for (const choices of [[], null, [{}], [{ message: null }], "x"])
    expect(whole({ choices })).toStartWith("failed: ");
});

test("data that is not a chunk fails an answer", () => {
  for (const value of [{}, 7, "x", [], { foo: 1 }])
    expect(streamed(delta("Half"), value as object, delta("", { finish_reason: "stop" }))).toStartWith(
      "failed: ",
    );
});

test("a text in place of a message, as for completions, is the answer, whole and streamed", () => {
  expect(streamed({ choices: [{ text: "Hel" }] }, { choices: [{ text: "lo", finish_reason: "stop" }] })).toBe(
    "Hello",
  );
  expect(whole({ choices: [{ text: "Hello" }] })).toBe("Hello");
});

test("pings of an upstream do not change the answer, whether their name or their type says so", () => {
  expect(streamed({ type: "ping" }, delta("Hello"))).toBe("Hello");
  const reader = readChat(() => {});
  reader.delta({ event: "ping", data: "{}" });
  reader.delta({ data: JSON.stringify(delta("Hello")) });
  expect(reader.end({ kind: "model", status: 200, body: undefined, usage: undefined })).toBe("Hello");
});
