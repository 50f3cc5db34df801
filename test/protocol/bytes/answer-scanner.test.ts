import { expect, test } from "bun:test";
import { AnswerScanner } from "../../../src/protocol/bytes/answer-scanner.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const EVENTS = "text/event-stream";
const NOTHING = { tokens: undefined, audioSeconds: undefined, images: 0 };

function told(type: string, text: string, length = 7) {
  const scanner = AnswerScanner.for(type);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; at += length) scanner?.push(bytes.subarray(at, at + length));
  return scanner?.end();
}

const tokens = (prompt_tokens: number, completion_tokens: number) => ({ prompt_tokens, completion_tokens });

test.each([
  ["OpenAI's whisper", { text: "a", usage: { type: "duration", seconds: 9 } }, { audioSeconds: 9 }],
  [
    "OpenAI's other models",
    { text: "a", usage: { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 } },
    { tokens: tokens(14, 45) },
  ],
  ["a verbose transcription", { text: "a", duration: 8.47, segments: [] }, { audioSeconds: 8.47 }],
  ["a verbose transcription with a text", { duration: "8.47", text: "a" }, { audioSeconds: 8.47 }],
  [
    "Mistral",
    { usage: { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3264 } },
    { audioSeconds: 203, tokens: tokens(4, 635) },
  ],
  [
    "images",
    { data: [{ b64_json: "a\\/b=" }, { url: "b" }], usage: { input_tokens: 50, output_tokens: 50 } },
    { images: 2, tokens: tokens(50, 50) },
  ],
  ["a length that is none", { duration: "long", usage: { type: "duration", seconds: -1 } }, {}],
  ["a length without end", { usage: { type: "duration", seconds: "9" }, duration: null }, {}],
  ["a member of another one", { x: { duration: 5, data: [1] }, usage: [] }, {}],
])("the usage of an answer is read as %s reports it, in a frame and in bytes", (_, answer, expected) => {
  expect(AnswerScanner.read(answer)).toEqual({ ...NOTHING, ...expected });
  expect(told(JSON_TYPE, JSON.stringify(answer, null, 2))).toEqual({ ...NOTHING, ...expected });
});

test("the events of a stream tell their usage at its end, and each finished image counts", () => {
  const events = [
    { type: "transcript.text.delta", delta: "a" },
    {
      ...{ type: "transcript.text.done", text: "data: usage" },
      usage: { type: "tokens", input_tokens: 14, output_tokens: 45 },
    },
  ];
  const stream = events.map((event) => `event: ${event.type}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`);
  const text = `: comment\n\n${stream.join("")}data: [DONE]\n\n`;
  for (const length of [1, 5, 10_000])
    expect(told(EVENTS, text, length)).toEqual({ ...NOTHING, tokens: tokens(14, 45) });
  const image = (type: string) => `data:${JSON.stringify({ type, b64_json: "x".repeat(9_000) })}\n\n`;
  const types = ["image_generation.partial_image", "image_generation.completed", "image_edit.completed"];
  expect(told(EVENTS, types.map(image).join(""), 4_000)).toEqual({ ...NOTHING, images: 2 });
  // A stream that breaks off after its last event has told all the same.
  expect(told(EVENTS, image("image_edit.completed").trimEnd(), 4_000)).toEqual({ ...NOTHING, images: 1 });
});

test("the bytes of an answer of another type are not looked at", () => {
  for (const type of ["audio/mpeg", "text/plain", "application/jsonl", ""])
    expect(AnswerScanner.for(type)).toBeUndefined();
});
