import type { Random } from "../random.ts";
import type { Json, ModelOutput } from "./answers.ts";

/**
 * The changes that are made to the chunks of an answer. A whole answer is changed like a single chunk, with
 * `message` in the place of `delta`.
 */
export type Change = (chunks: Json[], random: Random) => void;

const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const choicesOf = (chunk: Json): Json[] =>
  isJson(chunk) && Array.isArray(chunk["choices"]) ? chunk["choices"].filter(isJson) : [];

/** Returns the delta, or the message, of the first choice. */
export function partOf(chunk: Json | undefined): Json | undefined {
  const [choice] = chunk ? choicesOf(chunk) : [];
  const part = choice?.["delta"] ?? choice?.["message"];
  return isJson(part) ? part : undefined;
}

const callsOf = (chunk: Json): Json[] => {
  const calls = partOf(chunk)?.["tool_calls"];
  return Array.isArray(calls) ? calls : [];
};

const isWhole = (chunk: Json): boolean => choicesOf(chunk)[0]?.["message"] !== undefined;

/** Returns the index of the first chunk with a finish reason. */
export const endIndex = (chunks: readonly Json[]): number =>
  chunks.findIndex((chunk) => choicesOf(chunk).some((choice) => Boolean(choice["finish_reason"])));

const STRANGE: readonly unknown[] = [
  null,
  0,
  -1,
  1e300,
  2 ** 53,
  "",
  "x",
  "\u0000\u001b[31m",
  true,
  [],
  {},
  [[]],
  { a: {} },
];

const STRANGE_USAGE = [...STRANGE, { prompt_tokens: "1" }, { prompt_tokens: -1, completion_tokens: 1e300 }];

/** Picks a value, and returns a copy that no other case changes. */
const pickCopy = (values: readonly unknown[], random: Random): unknown =>
  structuredClone(values[random.below(values.length)]);

function shuffled(value: Json, random: Random): void {
  const entries = Object.entries(value);
  for (const name of Object.keys(value)) delete value[name];
  while (entries.length > 0) {
    const [[name, inner] = ["", 0]] = entries.splice(random.below(entries.length), 1);
    value[name] = inner;
  }
}

const insert = (chunks: Json[], chunk: Json, random: Random) =>
  chunks.splice(random.below(Math.max(endIndex(chunks), 0) + 1), 0, chunk);

const SYNONYMS: Record<string, readonly string[]> = {
  stop: ["STOP", "eos_token", "end_turn", "stop_sequence", "Stop"],
  length: ["max_tokens", "MAX_TOKENS", "LENGTH"],
  content_filter: ["SAFETY", "refusal", "CONTENT_FILTER"],
  tool_calls: ["tool_use", "function_call", "TOOL_CALLS", "stop"],
};

/** How upstreams mark the fragments of calls that come one after the other. */
const MARKS: ((number: number, isFirst: boolean) => Json)[] = [
  (number) => ({ index: 0, id: `id${number}` }),
  (number, isFirst) => ({ index: number, id: isFirst ? "same" : undefined }),
  (number, isFirst) => ({ index: undefined, id: isFirst ? `id${number}` : undefined }),
  (number) => ({ index: number, id: 70 + number }),
];

/** Changes after which an answer still says the same. */
export const HARMLESS: Record<string, Change> = {
  "unknown fields": (chunks, random) => {
    for (const chunk of chunks) {
      for (const place of [chunk, ...choicesOf(chunk), partOf(chunk)])
        if (place && random.below(2) === 0)
          place[random.pick(["x", "zzz", "__proto", "timings"])] = pickCopy(STRANGE, random);
    }
  },
  "no metadata": (chunks, random) => {
    for (const name of ["id", "created", "model", "system_fingerprint", "logprobs", "object"]) {
      if (random.below(2) === 0) continue;
      for (const chunk of chunks) if (chunk["choices"]) delete chunk[name];
    }
  },
  "strange metadata": (chunks, random) => {
    for (const chunk of chunks)
      for (const name of ["id", "created", "model", "system_fingerprint", "service_tier"])
        if (random.below(3) === 0) chunk[name] = pickCopy(STRANGE, random);
  },
  "another order of keys": (chunks, random) => {
    for (const chunk of chunks) {
      shuffled(chunk, random);
      for (const choice of choicesOf(chunk)) shuffled(choice, random);
    }
  },
  "chunks without choices": (chunks, random) => {
    if (chunks.some(isWhole)) return;
    for (let count = 1 + random.below(3); count > 0; count--) {
      const object = "chat.completion.chunk";
      insert(
        chunks,
        random.pick<Json>([
          { object, choices: [] },
          { object, choices: null },
          { object },
          { choices: [], usage: null },
        ]),
        random,
      );
    }
  },
  "empty deltas": (chunks, random) => {
    if (chunks.some(isWhole)) return;
    const empty = random.pick<unknown>([
      {},
      { content: "" },
      { content: null, tool_calls: null, refusal: null },
      null,
      { tool_calls: [] },
      { role: "assistant" },
    ]);
    insert(chunks, { choices: [{ index: 0, delta: empty, finish_reason: null }] }, random);
    if (random.below(3) === 0) chunks.push({ choices: [{ index: 0, delta: {}, finish_reason: null }] });
  },
  "no index": (chunks, random) => {
    const isNull = random.below(2) === 0;
    for (const choice of chunks.flatMap(choicesOf)) {
      if (isNull) choice["index"] = null;
      else delete choice["index"];
    }
  },
  "content in parts": (chunks) => {
    for (const part of chunks.map(partOf))
      if (typeof part?.["content"] === "string") part["content"] = [{ type: "text", text: part["content"] }];
  },
  "arguments as objects": (chunks) => {
    for (const { function: called } of chunks.flatMap(callsOf)) {
      const isFragment = !isJson(called) || typeof called["name"] !== "string" || called["arguments"] === "";
      if (!isFragment) called["arguments"] = JSON.parse(String(called["arguments"]));
    }
  },
  "strange usage": (chunks, random) => {
    for (const chunk of chunks) if (random.below(2) === 0) chunk["usage"] = pickCopy(STRANGE_USAGE, random);
  },
  "another word for the end": (chunks, random) => {
    for (const choice of chunks.flatMap(choicesOf)) {
      const words = SYNONYMS[String(choice["finish_reason"])];
      if (words) choice["finish_reason"] = random.pick(words);
    }
  },
  "empty finish reasons": (chunks) => {
    for (const choice of chunks.flatMap(choicesOf)) choice["finish_reason"] ??= "";
  },
  "empty fields": (chunks, random) => {
    for (const part of chunks.map(partOf)) {
      if (!part) continue;
      part["tool_calls"] ??= random.pick([null, []]);
      part["refusal"] ??= random.pick([null, ""]);
      part["function_call"] ??= null;
      part["audio"] ??= null;
    }
  },
  "empty errors": (chunks, random) => {
    for (const chunk of chunks)
      if (chunk["choices"]) chunk["error"] = random.pick<unknown>([null, "", false]);
  },
  "a second choice": (chunks) => {
    for (const chunk of chunks) {
      const [choice] = choicesOf(chunk);
      if (!choice || !Array.isArray(chunk["choices"]) || choice["index"] !== 0) continue;
      const key = choice["message"] === undefined ? "delta" : "message";
      chunk["choices"].push({
        index: 1,
        [key]: { content: "other" },
        finish_reason: choice["finish_reason"],
      });
    }
  },
  "reasoning in both fields": (chunks) => {
    for (const part of chunks.map(partOf)) {
      const reasoning = part?.["reasoning"] ?? part?.["reasoning_content"];
      if (part && reasoning !== undefined) Object.assign(part, { reasoning, reasoning_content: reasoning });
    }
  },
  "the end twice": (chunks) => {
    const end = chunks[endIndex(chunks)];
    if (!end || isWhole(end)) return;
    const [choice] = choicesOf(end);
    chunks.push({ ...end, choices: [{ ...choice, delta: {} }] });
  },
  "strange logprobs": (chunks, random) => {
    for (const choice of chunks.flatMap(choicesOf)) choice["logprobs"] = pickCopy(STRANGE, random);
  },
  "another numbering of calls": (chunks, random) => {
    const marks = random.pick(MARKS);
    let number = -1;
    for (const call of chunks.flatMap(callsOf)) {
      const isFirst = isJson(call["function"]) && call["function"]["name"] !== undefined;
      if (isFirst) number++;
      Object.assign(call, marks(number, isFirst));
    }
  },
};

/** Changes after which an answer may say anything. */
export const OPEN: Record<string, Change> = {
  "a field dropped or changed": (chunks, random) => {
    for (let count = 1 + random.below(3); count > 0; count--) changeSomewhere(chunks, random);
  },
  "a chunk lost": (chunks, random) => void chunks.splice(random.below(chunks.length), 1),
  "a chunk twice": (chunks, random) => {
    const at = random.below(chunks.length);
    chunks.splice(at, 0, structuredClone(chunks[at] ?? {}));
  },
  "chunks in another order": (chunks, random) => {
    const [moved] = chunks.splice(random.below(chunks.length), 1);
    if (moved) chunks.splice(random.below(chunks.length + 1), 0, moved);
  },
};

function changeSomewhere(value: unknown, random: Random): void {
  if (typeof value !== "object" || value === null) return;
  const holder = value as Json;
  const keys = Object.keys(holder);
  const key = keys[random.below(keys.length)];
  if (key === undefined) return;
  const inner = holder[key] ?? null;
  if (typeof inner === "object" && inner !== null && random.below(4) > 0) changeSomewhere(inner, random);
  else if (random.below(3) === 0 && !Array.isArray(holder)) delete holder[key];
  else holder[key] = pickCopy([...STRANGE, inner, [inner], { [key]: inner }, JSON.stringify(inner)], random);
}

/** Changes that make a call of the answer useless. Returns whether there was a call. */
export function dropCallName(chunks: Json[], { calls }: ModelOutput): boolean {
  for (const { function: called } of chunks.flatMap(callsOf)) if (isJson(called)) delete called["name"];
  return calls.length > 0;
}
