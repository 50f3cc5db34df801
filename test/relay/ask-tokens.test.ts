import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import type { Endpoint, Usage } from "../../src/protocol/agent-v2.ts";
import { AnswerMeter } from "../../src/relay/answer-meter.ts";
import { type AskWork, tokensOf } from "../../src/relay/ask-tokens.ts";
import type { Answer } from "../../src/relay/types.ts";

const BODY = "abcd".repeat(50);

function workAt(endpoint: Endpoint, events: readonly object[] = [], isAtAgent = true): AskWork {
  const meter = new AnswerMeter();
  for (const event of events) meter.note({ data: JSON.stringify(event) });
  return { request: { endpoint, stream: true, body: () => BODY }, model: "m", isAtAgent, meter };
}

const answered = (usage: Usage | undefined, body?: object | string, status = 200): Answer => ({
  kind: "model",
  status,
  usage,
  body: typeof body === "object" ? JSON.stringify(body) : body,
});
const usage = { prompt_tokens: 11, completion_tokens: 7 };
const nothing = { prompt_tokens: 0, completion_tokens: 0 };
const piece = { choices: [{ delta: { content: "eight ch" } }] };
const whole = { choices: [{ message: { content: "eight ch" } }] };
const counts = ({ inputTokens, outputTokens, tokensEstimated }: ReturnType<typeof tokensOf>) => [
  inputTokens,
  outputTokens,
  tokensEstimated ? "estimated" : "exact",
];
const NONE = [undefined, undefined, "exact"];

describe("the tokens of an answered ask", () => {
  test.each([
    ["reported usage", answered(usage), [11, 7, "exact"]],
    ["reported usage of an error", answered(usage, whole, 400), [11, 7, "exact"]],
    ["input only", answered({ prompt_tokens: 11, completion_tokens: 0 }, whole), [11, 2, "estimated"]],
    ["input only, streamed", answered({ prompt_tokens: 11, completion_tokens: 0 }), [11, 4, "estimated"]],
    ["output only", answered({ prompt_tokens: 0, completion_tokens: 7 }), [50, 7, "estimated"]],
    [
      "input only, as it is empty",
      answered({ prompt_tokens: 11, completion_tokens: 0 }, { choices: [{ message: { content: "" } }] }),
      [11, 0, "exact"],
    ],
    ["no usage", answered(undefined), [50, 4, "estimated"]],
    ["a usage of nothing", answered(nothing), [50, 4, "estimated"]],
    ["a whole answer without usage", answered(undefined, whole), [50, 2, "estimated"]],
    [
      "a usage in the answer that the agent did not read",
      answered(undefined, { ...whole, usage }),
      [11, 7, "exact"],
    ],
    ["an unreadable answer", answered(undefined, "fine"), [50, 0, "estimated"]],
    ["a refusal", answered(undefined, { error: "no" }, 400), NONE],
  ])("an answer with %s counts as it was reported, or else estimated", (_, answer, wanted) => {
    expect(counts(tokensOf(workAt("chat/completions", [piece, piece]), answer))).toEqual(wanted);
  });

  test("the details of a usage are kept", () => {
    const detailed = { ...usage, completion_tokens_details: { reasoning_tokens: 5 } };
    expect(tokensOf(workAt("chat/completions"), answered(detailed))).toMatchObject({ reasoningTokens: 5 });
  });

  test("embeddings have no output tokens, and counting tokens uses none", () => {
    const vectors = { data: [{ embedding: [0.1, 0.2] }], model: "m" };
    expect(counts(tokensOf(workAt("embeddings"), answered(undefined, vectors)))).toEqual([
      50,
      0,
      "estimated",
    ]);
    const reported = answered({ prompt_tokens: 8, completion_tokens: 0 }, vectors);
    expect(counts(tokensOf(workAt("embeddings"), reported))).toEqual([8, 0, "exact"]);
    const counted = answered(undefined, { input_tokens: 8 });
    expect(counts(tokensOf(workAt("messages/count_tokens"), counted))).toEqual([0, 0, "exact"]);
  });

  test("the answer of a v1 agent is estimated by its text", () => {
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "four" };
    const work = { ...workAt("chat/completions"), request: v1 };
    const answer = { id: "", response_id: "", conversation_id: "", content: "eight ch", error: "" };
    expect(counts(tokensOf(work, { kind: "v1", answer }))).toEqual([1, 2, "estimated"]);
  });
});

describe("the tokens of an ask that was not answered", () => {
  const failed = (code: ErrorCode, work: AskWork) => counts(tokensOf(work, new AppError(code)));

  test.each<ErrorCode>([
    "caller_gone",
    "key_unknown",
    "agent_failed",
    "agent_lost",
    "agent_timeout",
    "draining",
  ])("the part of an answer that the caller has is estimated after %s", (code) => {
    expect(failed(code, workAt("chat/completions", [piece, piece, piece]))).toEqual([50, 6, "estimated"]);
  });

  test("the usage so far counts, if the events report it", () => {
    const start = { type: "message_start", message: { usage: { input_tokens: 25, output_tokens: 1 } } };
    const delta = { type: "content_block_delta", delta: { type: "text_delta", text: "eight ch" } };
    const end = { type: "message_delta", usage: { output_tokens: 9 } };
    const stop = { type: "message_stop" };
    expect(failed("caller_gone", workAt("messages", [start, delta, delta, delta]))).toEqual([
      25,
      6,
      "estimated",
    ]);
    expect(failed("caller_gone", workAt("messages", [start, delta, delta, delta, end, stop]))).toEqual([
      ...[25, 9, "exact"],
    ]);
  });

  test("before the first byte, only callers who leave while an agent works for them have used the input", () => {
    const codes = [
      "caller_gone",
      "key_unknown",
      "agent_failed",
      "agent_lost",
      "agent_timeout",
      "draining",
    ] as const;
    const used = codes.filter((code) => failed(code, workAt("chat/completions"))[0] !== undefined);
    expect(used).toEqual(["caller_gone", "key_unknown"]);
    expect(failed("caller_gone", workAt("chat/completions"))).toEqual([50, 0, "estimated"]);
    expect(failed("caller_gone", workAt("chat/completions", [], false))).toEqual(NONE);
    expect(failed("caller_gone", { ...workAt("chat/completions"), request: undefined })).toEqual(NONE);
  });
});
