import { z } from "zod";

/**
 * Our own agent protocol ("v2"): JSON frames over a WebSocket with the subprotocol below, described for
 * people in `docs/agent-protocol.md`. Unknown keys are ignored everywhere, so that either side may be newer.
 */
export const AGENT_SUBPROTOCOL = "chatgpt-agent.v2";

/** The requests an agent may take, by their path below an OpenAI-compatible base URL. */
export const ENDPOINTS = [
  "chat/completions",
  "responses",
  "completions",
  "embeddings",
  "messages",
  "messages/count_tokens",
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export const SLOTS_MAX = 1024;
const MODELS_MAX = 1000;
const name = z.string().min(1).max(256);

/** Chosen by the server; an agent sends back what it was given. */
const askId = z.string().min(1).max(64);

export const Model = z.object({
  id: name,
  owned_by: name.optional(),
  context_length: z.int().positive().optional(),
});
export type Model = z.output<typeof Model>;

const slots = z.int().min(1).max(SLOTS_MAX);
const models = z.array(Model).max(MODELS_MAX);
/** One this server does not know is no reason to turn a newer agent away. */
const endpoints = z
  .array(z.string().max(256))
  .max(64)
  .transform((given) => ENDPOINTS.filter((endpoint) => given.includes(endpoint)));

const count = z.int().nonnegative();

/** The upstream's own figures, never estimated. */
export const Usage = z.object({ prompt_tokens: count, completion_tokens: count });
export type Usage = z.output<typeof Usage>;

const status = z.int().min(100).max(599);

export const HelloFrame = z.object({
  type: z.literal("hello"),
  /** Both from an earlier `ready`; together they take that identity back. */
  agent: z.string().max(64).optional(),
  resume: z.string().max(256).optional(),
  name,
  version: z.string().max(64),
  slots,
  models,
  endpoints,
});
export type HelloFrame = z.output<typeof HelloFrame>;

/** The work has begun: from here a retry elsewhere could double it. A delta or done says so too. */
export const AcceptFrame = z.object({ type: z.literal("accept"), ask: askId });

/** One server-sent event of a streamed answer. */
export const DeltaFrame = z.object({
  type: z.literal("delta"),
  ask: askId,
  /** The event's data, letter for letter as the upstream sent it. */
  data: z.string(),
  /** The event's name, where it has one. */
  event: z.string().max(256).optional(),
});

/** Names in lower case. */
const headers = z.record(z.string().max(64), z.string().max(2048));

/** Of a caller's request: what an upstream of that kind may want to know. */
export const CALLER_HEADERS = ["anthropic-version", "anthropic-beta"] as const;

/** The trace that the ask belongs to, as https://www.w3.org/TR/trace-context/ has it. */
export const TRACE_HEADERS = ["traceparent", "tracestate"] as const;

/** What an ask may have in its headers: all of it is for the upstream. */
export const PASSED_REQUEST_HEADERS = [...CALLER_HEADERS, ...TRACE_HEADERS] as const;

/** Of an upstream's error: what tells its caller when and whether to try again. */
export const PASSED_ERROR_HEADERS =
  /^(retry-after(-ms)?|x-should-retry|x-ratelimit-[a-z-]{1,40}|anthropic-ratelimit-[a-z-]{1,40})$/;

export const DoneFrame = z.object({
  type: z.literal("done"),
  ask: askId,
  /** The upstream's. */
  status,
  /** The upstream's body, letter for letter; missing when the answer was streamed. */
  body: z.string().optional(),
  usage: Usage.optional(),
  /** Of an error of the upstream. */
  headers: headers.optional(),
});
export type DoneFrame = z.output<typeof DoneFrame>;

export const FailFrame = z.object({
  type: z.literal("fail"),
  ask: askId,
  /** The upstream's, where it gave one. */
  status: status.optional(),
  error: z.object({
    message: z.string(),
    type: z.string().max(256).nullish(),
    code: z.string().max(256).nullish(),
  }),
  /** Another agent may try, and so may this one later. */
  retryable: z.boolean(),
  retry_after_ms: count.optional(),
  /** The upstream's body, letter for letter, where it gave one. */
  body: z.string().optional(),
  headers: headers.optional(),
});
export type FailFrame = z.output<typeof FailFrame>;

/** What the agent offers has changed; what is missing stays as it was. Ends a pause. */
export const UpdateFrame = z.object({
  type: z.literal("update"),
  slots: slots.optional(),
  models: models.optional(),
  endpoints: endpoints.optional(),
});
export type UpdateFrame = z.output<typeof UpdateFrame>;

/** The agent finishes what it has and wants no more. */
export const PauseFrame = z.object({ type: z.literal("pause") });

export const PongFrame = z.object({ type: z.literal("pong") });

export const AgentFrame = z.discriminatedUnion("type", [
  HelloFrame,
  AcceptFrame,
  DeltaFrame,
  DoneFrame,
  FailFrame,
  UpdateFrame,
  PauseFrame,
  PongFrame,
]);
export type AgentFrame = z.output<typeof AgentFrame>;

export const AGENT_FRAME_TYPES: ReadonlySet<string> = new Set(
  AgentFrame.options.map(({ shape }) => shape.type.value),
);

/** Returns the first field of a frame that is wrong, and why: "slots: Too big: expected number to be <=1024". */
export function frameFault({ issues: [issue] }: z.ZodError): string {
  const { path = [], message = "" } = issue ?? {};
  const reason = message
    .replace(/^Invalid input: /, "")
    .replace(/^Invalid discriminator.*/, "expected string");
  return path.length === 0 ? reason : `${z.core.toDotPath(path)}: ${reason}`;
}

export const ServerFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    /** The agent's id. */
    agent: z.string(),
    /** The secret that takes this identity back at the next hello. */
    resume: z.string(),
    /** The server's. */
    version: z.string(),
    limits: z.object({ frame_bytes: z.int() }),
  }),
  z.object({
    type: z.literal("ask"),
    ask: askId,
    endpoint: z.enum(ENDPOINTS),
    /** Whether the answer is to be streamed; the body says the same. */
    stream: z.boolean(),
    /** The request's body, to be passed on letter for letter. */
    body: z.string(),
    /** Of the caller's request, where it has some that the upstream may want. */
    headers: headers.optional(),
    /** After this long nobody waits any more for the first byte of the answer. */
    deadline_ms: z.int(),
  }),
  /** Nobody waits for this ask any more. No answer is expected. */
  z.object({ type: z.literal("cancel"), ask: askId }),
  z.object({ type: z.literal("ping") }),
  /** Finish what runs; the socket is closed then, and the agent comes back after so long. */
  z.object({ type: z.literal("drain"), reconnect_ms: z.int() }),
]);
export type ServerFrame = z.output<typeof ServerFrame>;
