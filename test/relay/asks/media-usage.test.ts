import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import type { Endpoint } from "../../../src/protocol/agent-v2.ts";
import { AnswerMeter } from "../../../src/relay/answer-meter.ts";
import { type AskWork, tokensOf } from "../../../src/relay/ask-tokens.ts";
import { mediaUsageOf } from "../../../src/relay/asks/media-usage.ts";
import type { Answer, ModelRequest } from "../../../src/relay/types.ts";

const BODY = '{"input":"é"}';

const workAt = (endpoint: Endpoint, request: Partial<ModelRequest> = {}): AskWork => ({
  request: { endpoint, stream: true, body: () => BODY, ...request },
  ...{ model: "m", isAtAgent: true, meter: new AnswerMeter() },
});

const UPLOAD = { contentType: "multipart/form-data; boundary=b", bytes: 271_360, open: () => fail() };
const fail = () => {
  throw new Error("the body is not read again");
};

const answered = (body?: object, status = 200): Answer => ({
  ...{ kind: "model", status, usage: undefined },
  body: body && JSON.stringify(body),
});

function noteAnswer({ meter }: AskWork, contentType: string, ...pieces: string[]): void {
  meter.note({ data: "", head: { status: 200, contentType } });
  for (const text of pieces)
    meter.note({ data: "", piece: { bytes: new TextEncoder().encode(text), taken: () => {} } });
}

test("a transcription has the length of its audio and of its form, and no tokens of its own", () => {
  const work = workAt("audio/transcriptions", { upload: UPLOAD });
  const body = { text: "hi", usage: { type: "duration", seconds: 8.4704 } };
  const answer = answered(body);
  const bytes = { inputBytes: 271_360, outputBytes: JSON.stringify(body).length };
  expect(mediaUsageOf(work, answer)).toEqual({ audioMs: 8_470, ...bytes });
  expect(tokensOf(work, answer)).toMatchObject({ inputTokens: undefined, outputTokens: undefined });
});

test("an answer in bytes counts what came of it, and the tokens that it tells, also if it breaks off", () => {
  const work = workAt("images/generations");
  const usage = { input_tokens: 5, output_tokens: 7 };
  noteAnswer(
    work,
    "application/json",
    '{"data":[{"b64_',
    'json":"x"}],',
    `"usage":${JSON.stringify(usage)}}`,
  );
  for (const outcome of [answered(), new AppError("caller_gone")]) {
    expect(mediaUsageOf(work, outcome)).toEqual({ images: 1, inputBytes: 14, outputBytes: 72 });
    expect(tokensOf(work, outcome)).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  }
});

test("speech counts its bytes only, and a failed request those that an agent got", () => {
  const speech = workAt("audio/speech");
  noteAnswer(speech, "audio/mpeg", "abc", "de");
  expect(mediaUsageOf(speech, answered())).toEqual({ inputBytes: 14, outputBytes: 5 });
  const failed = new AppError("agent_failed");
  expect(mediaUsageOf(workAt("images/edits", { upload: UPLOAD }), failed)).toEqual({
    ...{ inputBytes: 271_360, outputBytes: 0 },
  });
  expect(mediaUsageOf({ ...speech, request: undefined }, failed)).toBeUndefined();
  const refusal = answered({ error: "no", data: [1], duration: 3 }, 400);
  expect(mediaUsageOf(workAt("images/generations"), refusal)).toEqual({ inputBytes: 14, outputBytes: 0 });
});

test("a ranking has its search units, and a chat has nothing but tokens", () => {
  const ranked = answered({ results: [], meta: { billed_units: { search_units: 2 } } });
  expect(mediaUsageOf(workAt("rerank"), ranked)).toEqual({ searchUnits: 2 });
  expect(mediaUsageOf(workAt("chat/completions"), ranked)).toBeUndefined();
  for (const search_units of ["2", -1, 1.5, 1e9, null])
    expect(
      mediaUsageOf(workAt("rerank"), answered({ meta: { billed_units: { search_units } } })),
    ).toBeUndefined();
});

test("figures that cannot be right are left out", () => {
  for (const seconds of [1e8, -1, Number.MAX_VALUE, null])
    expect(
      mediaUsageOf(workAt("audio/translations"), answered({ usage: { type: "duration", seconds } })),
    ).toMatchObject({ audioMs: undefined });
});

test("a ranking or a moderation has input tokens only, and tokenizing uses none", () => {
  const total = answered({ results: [{ document: { text: "long" } }], usage: { total_tokens: 815 } });
  expect(tokensOf(workAt("rerank"), total)).toMatchObject({
    ...{ inputTokens: 815, outputTokens: 0, tokensEstimated: false },
  });
  const untold = answered({ results: [{ document: { text: "long" } }] });
  for (const endpoint of ["rerank", "moderations"] as const)
    expect(tokensOf(workAt(endpoint), untold)).toMatchObject({
      ...{ inputTokens: 4, outputTokens: 0, tokensEstimated: true },
    });
  for (const endpoint of ["tokenize", "detokenize"] as const)
    expect(tokensOf(workAt(endpoint), untold)).toMatchObject({ inputTokens: 0, outputTokens: 0 });
});
