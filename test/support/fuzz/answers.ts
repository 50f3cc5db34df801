import type { Random } from "../random.ts";

export type Json = Record<string, unknown>;

/** The answer of a model, whatever the shape in which its server sends it. */
export interface ModelOutput {
  reasoning: string;
  text: string;
  calls: { name: string; input: Json }[];
  ending: "stop" | "length" | "content_filter" | "tool_calls";
  inputTokens: number;
  outputTokens: number;
}

export const TOOLS = ["weather", "news", "now"];

/** Texts that a careless reader takes for something else. */
const PIECES = [
  ...["Hello", " world", "! ", "naïve ", "日本語 ", "👩‍🔬", "\n", "\r\n", "\t", '"quoted"', "\\", " "],
  ...["data: x\n\n", "[DONE]", "undefined", "null", '{"error":{"message":"no"}}', "event: error\n", "\u2028"],
  ...["<html>", '"finish_reason":"stop"', '"usage":{"prompt_tokens":1}', "\u0001", "</think>", ": comment\n"],
];

function textOf(random: Random, piecesMax: number): string {
  return Array.from({ length: random.below(piecesMax + 1) }, () => random.pick(PIECES)).join("");
}

function inputOf(random: Random): Json {
  const input: Json = {};
  for (let count = random.below(3); count > 0; count--)
    input[random.pick(["city", "n", "deep"])] = random.pick<unknown>([
      ...[textOf(random, 3), 7, -1.5, true, null, [], { a: [1, { b: "}" }] }],
    ]);
  return input;
}

export function createOutput(random: Random): ModelOutput {
  const hasCalls = random.below(3) === 0;
  const count = hasCalls ? 1 + random.below(3) : 0;
  const calls = Array.from({ length: count }, () => ({ name: random.pick(TOOLS), input: inputOf(random) }));
  const text = hasCalls && random.below(2) === 0 ? "" : `a${textOf(random, 8)}`;
  const others = ["stop", "stop", "stop", "length", "content_filter"] as const;
  return {
    reasoning: random.below(3) === 0 ? `r${textOf(random, 4)}` : "",
    text,
    calls,
    ending: hasCalls ? "tool_calls" : random.pick(others),
    inputTokens: 1 + random.below(1000),
    outputTokens: 1 + random.below(1000),
  };
}

/** Cuts a text into pieces, none of which is empty or half of a character. */
export function cutText(text: string, random: Random): string[] {
  const pieces: string[] = [];
  const characters = [...text];
  while (characters.length > 0) pieces.push(characters.splice(0, 1 + random.below(12)).join(""));
  return pieces;
}
