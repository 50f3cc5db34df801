import { longAnswer, malformedWrites, piecesOf, wordsOf } from "./fault-content.ts";
import type { UpstreamRequest } from "./fault-request.ts";

export interface Plan {
  /** Replaces the answer: by a whole response, a reset of the connection, or silence. */
  instead?: { status: number; headers?: Record<string, string>; body: string } | "reset" | "silence";
  /** The delay before the head of the response. */
  headDelayMs?: number;
  /** The delay between the head and the first event. */
  firstDelayMs?: number;
  /** The delay before each further piece. */
  betweenMs?: number;
  /** The text of the answer, in pieces. */
  pieces?: Iterable<string>;
  /**
   * The end after the pieces. `cut`: the TCP connection is reset. `early`: the response ends properly, but
   * without an end mark. `stall`: nothing follows. `error`: an error event. Default: a proper end.
   */
  ending?: "cut" | "early" | "stall" | "error";
  /** The bytes of a stream, each element a write of its own. */
  writes?: readonly Uint8Array[];
  /** Answers with plain JSON even if a stream was requested. */
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

/** Repeats the words of the question, so that every answer is long enough for a fault in its middle. */
function* longer(request: UpstreamRequest): Generator<string> {
  for (;;) yield* [...wordsOf(request.question), " "];
}

const counts = new Map<string, number>();

/** Resets the counts of `fails-times`. */
export const forgetFailures = (): void => counts.clear();

function failTimes(request: UpstreamRequest): Plan {
  const { key = request.question, times = 1 } = request.parameters;
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count > times ? words(request) : refuse(500, "server_error", null);
}

/** The behaviours by the name of the model. The parameters in the comments are read from the request. */
export const BEHAVIOURS: Record<string, (request: UpstreamRequest) => Plan> = {
  /** Answers the question, word by word. */
  echo: words,
  /** Answers all messages as JSON, to show what reached the upstream. */
  recites: (request) => ({ pieces: wordsOf(JSON.stringify(request.messages)) }),
  /** Answers `longAnswer(seed, size)`; by default 1 and 65536. */
  long: ({ parameters: { seed = 1, size = 65_536 } }) => ({ pieces: piecesOf(longAnswer(seed, size), seed) }),
  /** Answers the same in one single event. */
  "long-event": ({ parameters: { seed = 1, size = 65_536 } }) => ({ pieces: [longAnswer(seed, size)] }),

  /** Sends the head at once, the first event after `delay_ms` (300). */
  "slow-first": (request) => ({ ...words(request), firstDelayMs: request.parameters.delay_ms ?? 300 }),
  /** Sends the head, too, only after `delay_ms` (300). */
  "slow-head": (request) => ({ ...words(request), headDelayMs: request.parameters.delay_ms ?? 300 }),
  /** Waits `delay_ms` (20) before each further word. */
  "slow-words": (request) => ({ ...words(request), betweenMs: request.parameters.delay_ms ?? 20 }),
  /** Sends nothing at all, not even a head. */
  never: () => ({ instead: "silence" }),

  /** These fail after `chunks` (3) words, `dies-first` before anything is sent. */
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
  /** Refuses with `status` (503). */
  refuses: ({ parameters: { status = 503 } }) => refuse(status, "server_error", null),
  redirects: () => refuse(307, "server_error", null, { location: "/v1/chat/completions" }),
  /** Fails with 500 for the first `times` (1) asks with the same `key` (the question), then echoes. */
  "fails-times": failTimes,

  /** Streams `MALFORMED_EVENTS`, split by `seed` (1). Without streaming: a body that is not JSON. */
  malformed: ({ parameters: { seed = 1 }, stream }) =>
    stream ? { writes: malformedWrites(seed) } : { instead: { status: 200, body: '{"choices":[' } },
  /** Answers with plain JSON, streamed or not. */
  "not-sse": (request) => ({ ...words(request), neverStreams: true }),
};
