import { createRandom, type Random } from "../random.ts";
import { createOutput, type Json, type ModelOutput } from "./answers.ts";
import { ERROR_TEXTS, type Line, STREAM_FAILURES } from "./failures.ts";
import { choicesOf, dropCallName, endIndex, HARMLESS, OPEN } from "./json-changes.ts";
import { chunksOf, wholeAnswer } from "./vendor-answers.ts";
import { VENDORS } from "./vendors.ts";
import { jsonText, streamResponse, type WireResponse, wholeResponse } from "./wire.ts";

export const SURFACES = ["chat", "responses", "messages", "ask"] as const;
export type Surface = (typeof SURFACES)[number];

/**
 * The reply that a caller must get. `right`: exactly the model's answer. `error`: an error in the style of the
 * surface. `either`: one of the two. `clear`: anything but a hang, a malformed answer or an error without a reason.
 */
export type Verdict = "right" | "error" | "either" | "clear";

/** One request, the answer of the upstream, and the verdict on the reply. It is only data, and can be kept. */
export interface FuzzCase {
  /** The vendor and the changes, for people. */
  name: string;
  surface: Surface;
  /** Whether the caller asks for a stream. */
  stream: boolean;
  /** Whether the caller of a chat asks for the usage too. */
  usage: boolean;
  output: ModelOutput;
  response: WireResponse;
  verdict: Verdict;
  /** The data that the upstream sends, if the caller of the same API must get it unchanged. */
  passed?: string[];
}

export function createCase(seed: number): FuzzCase {
  const random = createRandom(seed);
  const vendor = random.pick(VENDORS);
  const output = createOutput(random);
  const surface = random.pick(SURFACES);
  const stream = random.below(4) > 0;
  const given = { random, output, surface, stream, usage: random.below(2) === 0 };
  const made = stream && random.below(8) > 0 ? streamCase(given, vendor) : wholeCase(given, vendor);
  const { random: _, ...rest } = given;
  return { ...rest, ...made, name: [vendor.name, ...made.changes].join(", ") };
}

interface Given {
  random: Random;
  output: ModelOutput;
  surface: Surface;
  stream: boolean;
}

type Made = Pick<FuzzCase, "response" | "verdict"> & { changes: string[]; passed?: string[] };

/** Makes some changes, and returns their names and whether the answer still says the same. */
function change(chunks: Json[], random: Random): { changes: string[]; isSame: boolean } {
  const names = Object.keys(HARMLESS);
  const chosen = new Set(Array.from({ length: random.below(4) }, () => random.pick(names)));
  // A second choice is known by its index.
  if (chosen.has("a second choice")) chosen.delete("no index");
  for (const name of chosen) HARMLESS[name]?.(chunks, random);
  if (random.below(4) > 0) return { changes: [...chosen], isSame: true };
  const open = random.pick(Object.keys(OPEN));
  OPEN[open]?.(chunks, random);
  return { changes: [...chosen, open], isSame: false };
}

const FAILED = 3;

function streamCase(given: Given, vendor: (typeof VENDORS)[number]): Made {
  const { random, output, surface } = given;
  const chunks = chunksOf(vendor, output, random);
  const { changes, isSame } = change(chunks, random);
  const kind = random.below(FAILED) === 0 ? random.pick(Object.keys(STREAM_FAILURES)) : undefined;
  const failure = kind && isSame ? STREAM_FAILURES[kind]?.(chunks, random, output) : undefined;
  const lines: Line[] = failure?.lines ?? chunks.map((value) => ({ data: JSON.stringify(value) }));
  const isCut = failure?.isCut ?? false;
  const hasEnd = endIndex(chunks) >= 0 && lines.length >= chunks.length;
  const isDone = !isCut && (!hasEnd || random.below(5) > 0);
  const isReset = isCut && random.below(2) === 0;
  const comment = vendor.comment;
  const response = streamResponse({ lines, isDone, isReset, comment }, random);
  const passed = isSame && !isCut ? lines.map(({ data }) => data) : undefined;
  const named = failure ? [...changes, String(kind)] : changes;
  return {
    response,
    changes: named,
    verdict: streamVerdict(isSame, failure, surface),
    ...(passed && { passed }),
  };
}

function streamVerdict(
  isSame: boolean,
  failure: ReturnType<(typeof STREAM_FAILURES)[string]> | undefined,
  surface: Surface,
): Verdict {
  if (!isSame) return "clear";
  if (!failure || failure.spares === surface) return "right";
  return surface === "chat" && !failure.isSeenNatively ? "clear" : "error";
}

/** The ways in which a whole answer fails. */
const WHOLE_FAILURES = [
  "an error",
  "no JSON",
  "no choices",
  "an unknown end",
  "no call name",
  "a torn body",
  "a stream",
];

function wholeCase(given: Given, vendor: (typeof VENDORS)[number]): Made {
  const { random, output } = given;
  const body = wholeAnswer(vendor, output);
  const { changes, isSame } = change([body], random);
  if (!isSame) {
    const response = wholeResponse(jsonText(body, random), 200, false, random);
    return { response, changes, verdict: "clear" };
  }
  if (random.below(FAILED) > 0) {
    const text = jsonText(body, random);
    const response = wholeResponse(text, 200, false, random);
    return { response, changes, verdict: "right", ...(!given.stream && { passed: [text] }) };
  }
  const kind = random.pick(WHOLE_FAILURES);
  return { ...failedWhole(kind, body, given, vendor), changes: [...changes, kind] };
}

const STATUSES = [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529, 301, 204, 200];
const NO_JSON = [
  "",
  " ",
  "<html><title>Sign in</title></html>",
  "Internal Server Error",
  "null",
  "7",
  '"x"',
  "true",
  "[]",
];

function failedWhole(
  kind: string,
  body: Json,
  { random, output, surface }: Given,
  vendor: (typeof VENDORS)[number],
): Pick<Made, "response" | "verdict"> {
  const send = (text: string, status = 200, isReset = false) => wholeResponse(text, status, isReset, random);
  /** The caller of the same API gets what is JSON and not an error as it is. */
  const passable: Verdict = surface === "chat" ? "clear" : "error";
  const [choice] = choicesOf(body);
  switch (kind) {
    case "an error": {
      const status = random.pick(STATUSES);
      const isEmpty = status === 204 || random.below(8) === 0;
      return { response: send(isEmpty ? "" : random.pick(ERROR_TEXTS), status), verdict: "error" };
    }
    case "no JSON": {
      const text = random.pick(NO_JSON);
      return {
        response: send(text),
        verdict: /^(\W*$|<|I)/.test(text) && text !== "[]" ? "error" : passable,
      };
    }
    case "no choices":
      body["choices"] = random.pick<unknown>([[], null, {}, [null], [{}], [{ message: null }], "x"]);
      return { response: send(JSON.stringify(body)), verdict: passable };
    case "an unknown end":
      if (choice)
        choice["finish_reason"] = random.pick(["error", "abort", "network_error", "x".repeat(3000)]);
      return { response: send(JSON.stringify(body)), verdict: surface === "chat" ? "clear" : "error" };
    case "no call name": {
      const verdict = dropCallName([body], output) && surface !== "ask" ? passable : "right";
      return { response: send(JSON.stringify(body)), verdict };
    }
    case "a torn body": {
      const text = JSON.stringify(body);
      return {
        response: send(text.slice(0, 1 + random.below(text.length - 2)), 200, random.below(2) === 0),
        verdict: "error",
      };
    }
    default: {
      const lines = chunksOf(vendor, output, random).map((value) => ({ data: JSON.stringify(value) }));
      return { response: streamResponse({ lines, isDone: true, isReset: false }, random), verdict: "either" };
    }
  }
}
