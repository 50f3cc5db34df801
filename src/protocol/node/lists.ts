import { z } from "zod";
import { AgentTransport } from "../agent-transport.ts";
import { MODELS_MAX, SLOTS_MAX } from "../agent-v2.ts";

/**
 * The rows of the lists and the figures that the nodes of a cluster send each other, as the API shows them: numbers
 * and names, never content of requests. Each is bounded, since a peer may be of another version or broken.
 */

/** The rows of a list that one frame may have. */
const ROWS_MAX = 500;
/** The names of models that the figures of a node may have. */
export const MODELS_COUNTED_MAX = 10_000;
/** The length of a text that an agent wrote about a failure. The rest is cut off before it is sent. */
export const REASON_LENGTH_MAX = 1_000;
/** The figures of a node are of this many seconds. */
export const SECONDS_MAX = 900;
/** The finished requests that the figures of a node have. */
export const ASKS_MAX = 100;

const text = z.string().max(1024);
const reason = z.string().max(REASON_LENGTH_MAX);
const time = z.iso.datetime({ offset: true });
const count = z.int().nonnegative();
const ms = z.number().nonnegative();
const names = z.array(text).max(MODELS_MAX);

/** The failures in a row of an agent, for one model. */
const circuit = z.object({
  model: text,
  /** `closed`: it gets requests; `open`: it gets none; `half_open`: it gets one, whose outcome decides. */
  state: z.enum(["closed", "open", "half_open"]),
  /** How many failures there were in a row. */
  failures: z.int().min(1),
  /** Why the last request failed, in a sentence without its full stop. */
  reason,
  failed_at: time,
  /** When an open circuit lets a request through; until then, other agents come first if it is closed. */
  retry_at: time,
});

/** How the latest requests of an agent ended, up to 20 of them. */
const recent = z.object({
  requests: count,
  failed: count,
  /** Since when the agent fails most of its requests; null if it does not. */
  failing_since: time.nullable(),
  /** The last failure, in a sentence without its full stop; null if there was none. */
  last_error: z.object({ reason, at: time }).nullable(),
  /** The median wait for the first byte of streamed answers; null if too few are known. */
  first_byte_ms: ms.nullable(),
  /** Whether that is long, or the agent took too long for its last request and has answered no ping since. */
  is_slow: z.boolean(),
});

/** A connected agent, as the administrator sees it. */
export const AgentRow = z.object({
  id: text,
  name: text,
  /** The version that the agent reports; null for v1 agents, which report none. */
  version: text.nullable(),
  protocol: z.enum(["v1", "v2"]),
  /** The carrier of its messages. Missing from a node of an older version. */
  transport: AgentTransport.optional(),
  /** The version of the server that the agent is older than; null if it is not, or is another program. */
  newer_version: text.nullable().optional(),
  /** Whether the agent's owner lets the server ask it to update itself. */
  can_update: z.boolean().optional(),
  address: text,
  key: text.nullable(),
  models: names,
  /** The models that the agent's upstream has in memory; null if it does not tell. */
  loaded_models: names.nullable(),
  /** A higher one is used first as long as it has room. That of the key comes before the agent's. */
  priority: z.int(),
  /** The share of requests among agents of equal priority. That of the key comes before the agent's. */
  weight: z.number(),
  /** The tags that count: those that the agent's key allows. */
  tags: z.array(text).max(256),
  slots: z.int().min(1).max(SLOTS_MAX),
  in_use: count,
  paused: z.boolean(),
  draining: z.boolean(),
  /** The reason in a sentence; null if the agent has requests, or was sent one in the last 15 minutes. */
  no_work_because: reason.nullable(),
  /** The circuits of the models for which the agent failed since its last success. */
  circuits: z.array(circuit).max(MODELS_MAX),
  /** Missing if a node of an earlier version has the agent. */
  recent: recent.optional(),
  since: time,
  last_heard: time,
});
export type AgentRow = z.output<typeof AgentRow>;

/** A connected agent, as the list of the reference server shows it. */
export const ConnectionRow = z.object({
  id: text,
  /** When it registered, then when it last gave a good answer. */
  heartbeat: time,
  /** When it was last sent a request; null if it never was. */
  sent: time.nullable(),
});
export type ConnectionRow = z.output<typeof ConnectionRow>;

/** A request that waits for an agent. */
export const WaitingRow = z.object({
  request_id: text,
  /** Null for the administrator. */
  user_id: text.nullable(),
  /** Null if any will do. */
  model: text.nullable(),
  surface: text,
  priority: z.enum(["high", "normal", "low"]),
  waited_ms: count,
  /** About how many requests have their turn before it. */
  before: count,
});
export type WaitingRow = z.output<typeof WaitingRow>;

/** The lists by their names. A frame has rows of one of them. */
export const LISTS = {
  agents: z.array(AgentRow).max(ROWS_MAX).optional(),
  connections: z.array(ConnectionRow).max(ROWS_MAX).optional(),
  waiting: z.array(WaitingRow).max(ROWS_MAX).optional(),
};

/** The rows of each list. */
export interface ListRows {
  agents: AgentRow;
  connections: ConnectionRow;
  waiting: WaitingRow;
}
export type ListName = keyof ListRows;

/** The counts of one second. */
const COUNTS = {
  /** Requests that arrived. */
  asks: count,
  /** Requests that succeeded, and those that failed. */
  ok: count,
  failed: count,
  /** Requests that were refused before they were queued, which did not arrive. A node of an older version does not tell. */
  refused: count.default(0),
  /** Chunks of streamed answers. */
  deltas: count,
};

/** The state at the end of that second. */
const LEVELS = {
  /** Requests that wait, and those that run at an agent. */
  queue: count,
  running: count,
  slots: count,
  slots_in_use: count,
  agents: count,
};

/** Medians of the requests that ended in it; null if there is nothing to measure. */
const MEDIANS = { queue_ms: ms.nullable(), first_byte_ms: ms.nullable() };

export const SAMPLE = { ...COUNTS, ...LEVELS, ...MEDIANS };
export type SampleField = keyof typeof SAMPLE;
export const COUNT_FIELDS = Object.keys(COUNTS) as (keyof typeof COUNTS)[];
export const LEVEL_FIELDS = Object.keys(LEVELS) as (keyof typeof LEVELS)[];
export const MEDIAN_FIELDS = Object.keys(MEDIANS) as (keyof typeof MEDIANS)[];
export const SAMPLE_FIELDS: readonly SampleField[] = [...COUNT_FIELDS, ...LEVEL_FIELDS, ...MEDIAN_FIELDS];

/** A finished request. */
export const FINISHED_ASK = {
  request_id: text,
  /** When it ended. */
  at: time,
  /** Null for the holder of the admin key. */
  user: z.object({ user_id: text, name: text.nullable() }).nullable(),
  /** Null if no agent was sent the request. */
  agent: z.object({ id: text, name: text }).nullable(),
  model: text.nullable(),
  /** The route's name, such as `ask` or `chat/completions`. */
  surface: text,
  /** `ok`, or an error code. */
  outcome: text,
  /** The upstream's status, if it sent one. */
  upstream_status: z.int().nullable(),
  queue_ms: ms,
  first_byte_ms: ms.nullable(),
  duration_ms: ms,
  prompt_tokens: count.nullable(),
  completion_tokens: count.nullable(),
  /** Whether the server estimated them. */
  tokens_estimated: z.boolean(),
};

/** The agents that are named in the figures of a node, or of all. */
export const FAILING_MAX = 10;

/** An agent that fails most of its requests. */
const failing = z.object({ id: text, name: text, requests: count, failed: count, since: time, reason });

/** The present state of the agents and the queue. */
export const POOL = {
  now: time,
  ready: z.object({
    status: z.enum(["ready", "not ready"]),
    reasons: z.array(z.string().max(1024)).max(16),
    /** The parts that fail while requests are served: `store`, `nats`, `certificate`. Missing if none does. */
    degraded: z.array(z.string().max(64)).max(16).optional(),
  }),
  /** `accepting` agents take requests, whether they are busy or not. `failing` is missing if none does. */
  agents: z.object({
    connected: count,
    accepting: count,
    failing: z.array(failing).min(1).max(FAILING_MAX).optional(),
  }),
  slots: z.object({ total: count, in_use: count }),
  queue: z.object({ length: count, oldest_wait_ms: ms.nullable() }),
};

/** The models by name, with the number of agents that offer each. */
export const MODEL_COUNTS = z.array(z.object({ id: text, agents: z.int().min(1) })).max(MODELS_COUNTED_MAX);

/** Lists with one entry for each second. */
export const SAMPLES = {
  /** When the first second began. Each list has one entry for each second since then, at most 900. */
  from: time,
  every_ms: z.literal(1000),
  ...(Object.fromEntries(
    Object.entries(SAMPLE).map(([name, field]) => [name, z.array(field).max(SECONDS_MAX)]),
  ) as { [Field in Exclude<SampleField, "refused">]: z.ZodArray<(typeof SAMPLE)[Field]> }),
  refused: z.array(count).max(SECONDS_MAX).default([]),
};

/** The figures of a node of the last 15 minutes. */
export const NodeOverview = z.object({
  version: text,
  started_at: time,
  ...POOL,
  models: MODEL_COUNTS,
  samples: z.object(SAMPLES),
  /** Newest first. */
  asks: z.array(z.object(FINISHED_ASK)).max(ASKS_MAX),
});
export type NodeOverview = z.output<typeof NodeOverview>;

/** The figures of a node that it sends each second. */
export const NodeSecond = z.object({
  ...POOL,
  /** Missing if they have not changed. */
  models: MODEL_COUNTS.optional(),
  sample: z.object({ at: time, ...SAMPLE }),
  /** The requests that have finished since the previous one, newest first. */
  asks: z.array(z.object(FINISHED_ASK)).max(ASKS_MAX),
});
export type NodeSecond = z.output<typeof NodeSecond>;
