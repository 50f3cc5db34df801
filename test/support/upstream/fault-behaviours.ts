import { longAnswer, malformedWrites, piecesOf, wordsOf } from "./fault-content.ts";
import type { UpstreamRequest } from "./fault-request.ts";

export interface Plan {
  /** In place of an answer: a whole response, the connection reset, or nothing for ever. */
  instead?: { status: number; headers?: Record<string, string>; body: string } | "reset" | "silence";
  /** Before the head of the response. */
  headDelayMs?: number;
  /** After the head, before the first event. */
  firstDelayMs?: number;
  /** Before each further piece. */
  betweenMs?: number;
  /** The text of the answer. */
  pieces?: Iterable<string>;
  /**
   * What comes after the pieces. `cut`: the TCP connection is reset. `early`: a proper end of the response, but no end mark. `stall`:
   * nothing more, for ever. `error`: an error event. Default: properly.
   */
  ending?: "cut" | "early" | "stall" | "error";
  /** A stream is sent as these bytes, each a write of its own. */
  writes?: readonly Uint8Array[];
  /** A stream is asked for, but the answer is plain JSON. */
  neverStreams?: boolean;
}

export function errorBody(message: string, type: string, code: string | null = null): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

function refuse(status: number, type: string, code: string | null, headers?: Record<string, string>): Plan {
  const body = errorBody(`The upstream refused with ${status}`, type, code);
  return { instead: { status, body, ...(headers && { headers }) } };
}

const words = ({ question }: UpstreamRequest) => ({ pieces: wordsOf(question) });
const afterChunks = (request: UpstreamRequest, ending: NonNullable<Plan["ending"]>): Plan => ({
  pieces: longer(request).take(request.parameters.chunks ?? 3),
  ending,
});

/** The words again and again, so that a fault comes in the middle of any question. */
function* longer(request: UpstreamRequest): Generator<string> {
  for (;;) yield* [...wordsOf(request.question), " "];
}

const counts = new Map<string, number>();

/** Forgets what `fails-times` has counted. */
export const forgetFailures = (): void => counts.clear();

function failTimes(request: UpstreamRequest): Plan {
  const { key = request.question, times = 1 } = request.parameters;
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count > times ? words(request) : refuse(500, "server_error", null);
}

/** By the name of the model. The parameters in the comments are read from the request. */
export const BEHAVIOURS: Record<string, (request: UpstreamRequest) => Plan> = {
  /** The question, word by word. */
  echo: words,
  /** All messages as JSON, to see what reached the upstream. */
  recites: (request) => ({ pieces: wordsOf(JSON.stringify(request.messages)) }),
  /** `longAnswer(seed, size)`; 1 and 65536. */
  long: ({ parameters: { seed = 1, size = 65_536 } }) => ({ pieces: piecesOf(longAnswer(seed, size), seed) }),
  /** The same as one single event. */
  "long-event": ({ parameters: { seed = 1, size = 65_536 } }) => ({ pieces: [longAnswer(seed, size)] }),

  /** The head comes at once, the first event after `delay_ms` (300). */
  "slow-first": (request) => ({ ...words(request), firstDelayMs: request.parameters.delay_ms ?? 300 }),
  /** The head, too, comes only after `delay_ms` (300). */
  "slow-head": (request) => ({ ...words(request), headDelayMs: request.parameters.delay_ms ?? 300 }),
  /** `delay_ms` (20) before each further word. */
  "slow-words": (request) => ({ ...words(request), betweenMs: request.parameters.delay_ms ?? 20 }),
  /** Nothing at all, not even a head. */
  never: () => ({ instead: "silence" }),

  /** After `chunks` (3) words, or before anything is sent. */
  stalls: (request) => afterChunks(request, "stall"),
  dies: (request) => afterChunks(request, "cut"),
  "dies-first": () => ({ instead: "reset" }),
  "ends-early": (request) => afterChunks(request, "early"),
  "error-event": (request) => afterChunks(request, "error"),

  "rate-limited": () => refuse(429, "rate_limit_error", "rate_limit_exceeded", { "retry-after": "2" }),
  broken: () => refuse(500, "server_error", null),
  "broken-html": () => ({
    instead: { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad Gateway</h1>\n" },
  }),
  "bad-request": () => refuse(400, "invalid_request_error", "context_length_exceeded"),
  unauthorized: () => refuse(401, "invalid_request_error", "invalid_api_key"),
  /** Any `status` (503). */
  refuses: ({ parameters: { status = 503 } }) => refuse(status, "server_error", null),
  redirects: () => refuse(307, "server_error", null, { location: "/v1/chat/completions" }),
  /** The first `times` (1) asks with the same `key` (the question) fail with 500, then it echoes. */
  "fails-times": failTimes,

  /** `MALFORMED_EVENTS`, torn apart by `seed` (1). Not streamed: a body that is no JSON. */
  malformed: ({ parameters: { seed = 1 }, stream }) =>
    stream ? { writes: malformedWrites(seed) } : { instead: { status: 200, body: '{"choices":[' } },
  /** A plain JSON answer, streamed or not. */
  "not-sse": (request) => ({ ...words(request), neverStreams: true }),
};
