import { z } from "zod";
import { fieldPath } from "../json/field-path.ts";
import { plainMessage } from "../json/schema-message.ts";
import { PRINTABLE } from "../printable.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { modelDetails } from "./model-details.ts";
import { AGENT_TAGS_MAX, agentPriority, agentTag, agentWeight } from "./preference.ts";

/**
 * The WebSocket subprotocol of v2, our own agent protocol: JSON objects in text frames, documented in
 * `docs/agent-protocol.md`. Unknown fields are ignored everywhere, so that either side may be newer.
 */
export const AGENT_SUBPROTOCOL = "chatgpt-agent.v2";

export { COUNT_ENDPOINT, ENDPOINTS, type Endpoint, isOllamaEndpoint, OLLAMA_ENDPOINTS } from "./endpoints.ts";

/**
 * A frame may take as long as on a slow line of 32 KB a second, and what is sent after it waits for that long.
 * Frames of less than `LARGE_FRAME_BYTES` need no such patience.
 */
const LINE_BYTES_PER_MS = 32;
export const LARGE_FRAME_BYTES = 128 * 1024;
export const travelMs = (bytes: number): number =>
  bytes < LARGE_FRAME_BYTES ? 0 : Math.ceil(bytes / LINE_BYTES_PER_MS);

/** The next frame has about this many bytes. A pong may wait behind it. */
const announce = z.object({ type: z.literal("announce"), bytes: z.int().nonnegative() });

/** A list of frames in one message may be this long, in UTF-16 code units: it is read in one turn. */
export const LIST_LENGTH_MAX = 64 * 1024;

export const SLOTS_MAX = 1024;
export const MODELS_MAX = 1000;

/** A text that is shown: in lists, logs and metrics, and on terminals. */
const shownText = (lengthMax: number) =>
  z.string().max(lengthMax).regex(PRINTABLE, "must be without control characters");
const name = shownText(256).min(1);

/** An ask's id. The server chooses it, and the agent sends it back. */
export const ASK_ID_LENGTH_MAX = 64;
const askId = z.string().min(1).max(ASK_ID_LENGTH_MAX);

export const Model = z.object({
  id: name,
  owned_by: name.optional(),
  context_length: z.int().positive().optional(),
  /** Whether the upstream has the model in memory. Missing if it does not tell, or always has it. */
  loaded: z.boolean().optional(),
  ...modelDetails,
});
export type Model = z.output<typeof Model>;

/** The work that an agent can do. */
const offer = {
  slots: z.int().min(1).max(SLOTS_MAX),
  models: z.array(Model).max(MODELS_MAX),
  /** Unknown endpoints are left out: a newer agent may have more. */
  endpoints: z
    .array(z.string().max(256))
    .max(64)
    .transform((given) => ENDPOINTS.filter((endpoint) => given.includes(endpoint))),
};

/** How the agent wants to be chosen. The server's administrator has the last word. */
const claim = {
  priority: agentPriority.optional(),
  weight: agentWeight.optional(),
  tags: z.array(agentTag).max(AGENT_TAGS_MAX).optional(),
};
export type Claim = z.output<z.ZodObject<typeof claim>>;

/** The name by which the agent of this program tells that its version is one of the server's own. */
export const OWN_PROGRAM = "chatgpt-api-server";

/**
 * The abilities of an agent beside its work. `update`: its owner lets the server ask it to update itself. `bytes`: it
 * takes and sends bodies in binary frames.
 */
export const CAPABILITIES = ["update", "bytes"] as const;
export type Capability = (typeof CAPABILITIES)[number];

const count = z.int().nonnegative();

/** No request has more tokens. A larger count is a mistake or a lie, and is not counted. */
export const TOKENS_MAX = 100_000_000;
const tokens = z.int().nonnegative().max(TOKENS_MAX);

/** A wrong detail is left out, as if it had not been reported. */
const detail = tokens.optional().catch(undefined);

/**
 * The token counts that the upstream reported, never estimated, in the shape of a chat completion's. The
 * details are parts of the two counts.
 */
export const Usage = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: z
    .object({ cached_tokens: detail, cache_creation_tokens: detail })
    .optional()
    .catch(undefined),
  completion_tokens_details: z.object({ reasoning_tokens: detail }).optional().catch(undefined),
});
export type Usage = z.output<typeof Usage>;

const status = z.int().min(100).max(599);

/** Two have no body by definition. Clients take the third for their own proxy's, and browsers show no body. */
const NO_ANSWER_STATUS: ReadonlySet<number> = new Set([204, 205, 407]);

/**
 * Whether the answer of an upstream can have this HTTP status. One that is informational, that redirects, or
 * that clients do not take for an answer must not reach a caller: 101 would open a tunnel.
 */
export function isAnswerStatus(status: number): boolean {
  if (NO_ANSWER_STATUS.has(status)) return false;
  return (status >= 200 && status < 300) || (status >= 400 && status < 600);
}

/** The name of a server-sent event. With a line break in it, it could begin further fields and events. */
export const EVENT_NAME = { lengthMax: 256, pattern: /^[^\r\n]*$/ };
const eventName = z
  .string()
  .max(EVENT_NAME.lengthMax)
  .regex(EVENT_NAME.pattern, "must not have a line break");

export const HelloFrame = z.object({
  type: z.literal("hello"),
  /** The id and secret of an earlier `ready`. Together they take that identity back. */
  agent: z.string().max(64).optional(),
  resume: z.string().max(256).optional(),
  name,
  version: shownText(64),
  /** The program that the version is of. */
  program: shownText(64).optional(),
  /** Unknown ones are left out: a newer agent may have more. */
  capabilities: z
    .array(z.string().max(64))
    .max(64)
    .transform((given) => CAPABILITIES.filter((capability) => given.includes(capability)))
    .optional(),
  ...offer,
  ...claim,
});
export type HelloFrame = z.output<typeof HelloFrame>;

/** The longest value of a header that a frame carries. */
export const HEADER_LENGTH_MAX = 2048;

/** HTTP headers, with names in lower case. */
const headers = z.record(z.string().max(64), z.string().max(HEADER_LENGTH_MAX));

/** The headers of a caller's request that an upstream may need. */
export const CALLER_HEADERS = ["anthropic-version", "anthropic-beta"] as const;

/** The headers of an ask: the caller's and those of the trace (https://www.w3.org/TR/trace-context/). */
export const PASSED_REQUEST_HEADERS = [...CALLER_HEADERS, "traceparent", "tracestate"] as const;

/** The headers of an upstream's error that tell its caller when and whether to retry. */
export const PASSED_ERROR_HEADERS =
  /^(retry-after(-ms)?|x-should-retry|x-ratelimit-[a-z-]{1,40}|anthropic-ratelimit-[a-z-]{1,40})$/;

export const DoneFrame = z.object({
  type: z.literal("done"),
  ask: askId,
  /** The upstream's HTTP status. */
  status,
  /** The upstream's body, unchanged. Missing if the answer was streamed. */
  body: z.string().optional(),
  /** Counts that cannot be right are left out, as if nothing had been reported. */
  usage: Usage.optional().catch(undefined),
  /** The headers of an upstream's error. */
  headers: headers.optional(),
});
export type DoneFrame = z.output<typeof DoneFrame>;

export const FailFrame = z.object({
  type: z.literal("fail"),
  ask: askId,
  /** The upstream's HTTP status, if there is one. */
  status: status.optional(),
  error: z.object({
    message: z.string(),
    type: z.string().max(256).nullish(),
    code: z.string().max(256).nullish(),
  }),
  /** Whether another agent may try, or this one later. */
  retryable: z.boolean(),
  retry_after_ms: count.optional(),
  /** The upstream's body, unchanged, if there is one. */
  body: z.string().optional(),
  headers: headers.optional(),
});
export type FailFrame = z.output<typeof FailFrame>;

/** The other side has taken so many more bytes of a body, and its sender may send as many more. */
const credit = z.object({ type: z.literal("credit"), ask: askId, bytes: z.int().positive() });

/** An answer begins that comes in binary frames. `done`, without a body, follows the last of them. */
const head = z.object({
  type: z.literal("head"),
  ask: askId,
  status: z.int().min(200).max(299),
  content_type: z.string().max(256),
});

export const AgentFrame = z.discriminatedUnion("type", [
  HelloFrame,
  /** The work has begun: a retry at another agent could do it twice. A delta or done implies it. */
  z.object({ type: z.literal("accept"), ask: askId }),
  /** The upstream works on the ask: it has sent something besides events, such as a comment. */
  z.object({ type: z.literal("alive"), ask: askId }),
  /** One server-sent event of a streamed answer. */
  z.object({
    type: z.literal("delta"),
    ask: askId,
    /** The event's data, unchanged. */
    data: z.string(),
    /** The event's name, if it has one. */
    event: eventName.optional(),
  }),
  head,
  credit,
  DoneFrame,
  FailFrame,
  /** The agent offers something else from now on. Missing fields stay as they were. Ends a pause. */
  z.object({ type: z.literal("update"), ...z.object(offer).partial().shape, ...claim }),
  /** The agent finishes the asks that it has, and takes no more. */
  z.object({ type: z.literal("pause") }),
  z.object({ type: z.literal("pong") }),
  announce,
]);
export type AgentFrame = z.output<typeof AgentFrame>;

export const AGENT_FRAME_TYPES: ReadonlySet<string> = new Set(
  AgentFrame.options.map(({ shape }) => shape.type.value),
);

/** Returns the first wrong field of a frame, and why: "slots: expected at most 1024". */
export function frameFault({ issues: [issue] }: z.ZodError): string {
  const { path = [], message = "" } = issue ?? {};
  const reason = plainMessage(message);
  return path.length === 0 ? reason : `${fieldPath(path)}: ${reason}`;
}

export const ServerFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    /** The agent's id. */
    agent: z.string(),
    /** The secret that takes this identity back in a later hello. */
    resume: z.string(),
    /** The server's version. */
    version: z.string(),
    limits: z.object({
      frame_bytes: z.int(),
      /** The shortest silence for which an ask may fail. A server that tells it takes `alive` and `announce`. */
      silence_ms: z.int().positive().optional(),
      /**
       * How long a message with a list of frames may be, in UTF-16 code units. A server that does not tell it takes
       * one frame in each message.
       */
      list_length: z.int().positive().optional(),
    }),
  }),
  z.object({
    type: z.literal("ask"),
    ask: askId,
    endpoint: z.enum(ENDPOINTS),
    /** Whether the answer must be streamed. The body says the same. */
    stream: z.boolean(),
    /** The request's body, to be passed on unchanged. */
    body: z.string(),
    /** The body comes in binary frames, and `body` is empty. */
    upload: z.object({ content_type: z.string().max(512), bytes: z.int().nonnegative() }).optional(),
    /** Headers for the upstream. */
    headers: headers.optional(),
    /** How long the server waits for the first byte of the answer, or for the next `alive`. */
    deadline_ms: z.int(),
  }),
  /** Nobody waits for the answer any more, and none is expected. */
  z.object({ type: z.literal("cancel"), ask: askId }),
  credit,
  z.object({ type: z.literal("ping") }),
  announce,
  /** The administrator wants the agent to update itself. Sent only to agents with the capability. */
  z.object({ type: z.literal("update") }),
  /** The server is going away: the agent finishes its asks, and reconnects after this time. */
  z.object({ type: z.literal("drain"), reconnect_ms: z.int() }),
]);
export type ServerFrame = z.output<typeof ServerFrame>;
