import { z } from "zod";
import { count, namedObject, text, time } from "../values.ts";

/**
 * The response of `GET /admin/overview` and the frames of `GET /admin/live`: numbers and names, never
 * content.
 */
const ms = z.number().nonnegative();

/** The counts of one second. */
const COUNTS = {
  /** Requests that arrived. */
  asks: count,
  /** Requests that succeeded, and those that failed. */
  ok: count,
  failed: count,
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

const SAMPLE = { ...COUNTS, ...LEVELS, ...MEDIANS };

export const LiveSample = z.strictObject({
  /** When the second began. */
  at: time,
  ...SAMPLE,
});
export type LiveSample = z.output<typeof LiveSample>;

export type SampleField = keyof typeof SAMPLE;
export const SAMPLE_FIELDS = Object.keys(SAMPLE) as SampleField[];

/** A finished request. */
export const LiveAsk = z.strictObject({
  request_id: text,
  /** When it ended. */
  at: time,
  /** Null for the holder of the admin key. */
  user: z.strictObject({ user_id: text, name: text.nullable() }).nullable(),
  /** Null if no agent was sent the request. */
  agent: z.strictObject({ id: text, name: text }).nullable(),
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
});
export type LiveAsk = z.output<typeof LiveAsk>;

/** The present state of the agents and the queue. */
const POOL = {
  now: time,
  ready: z.strictObject({ status: z.enum(["ready", "not ready"]), reasons: z.array(text) }),
  /** `accepting` agents take requests, whether they are busy or not. */
  agents: z.strictObject({ connected: count, accepting: count }),
  slots: z.strictObject({ total: count, in_use: count }),
  queue: z.strictObject({ length: count, oldest_wait_ms: ms.nullable() }),
};

/** The models by name, with the number of agents that offer each. */
const models = z.array(z.strictObject({ id: text, agents: z.int().min(1) }));

const OVERVIEW = {
  version: text,
  started_at: time,
  ...POOL,
  models,
  samples: z.strictObject({
    /** When the first second began. Each list has one entry for each second since then, at most 900. */
    from: time,
    every_ms: z.literal(1000),
    ...(Object.fromEntries(Object.entries(SAMPLE).map(([name, field]) => [name, z.array(field)])) as {
      [Field in SampleField]: z.ZodArray<(typeof SAMPLE)[Field]>;
    }),
  }),
  /** Newest first, at most 100. */
  asks: z.array(LiveAsk),
};

export const Overview = namedObject("Overview", OVERVIEW);
export type Overview = z.output<typeof Overview>;

/** The first frame of the live view, and the frames that follow it, one a second. */
export const LiveFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("overview"), ...OVERVIEW }),
  z.strictObject({
    type: z.literal("second"),
    ...POOL,
    /** Missing if they have not changed. */
    models: models.optional(),
    sample: LiveSample,
    /** The requests that have finished since the previous frame, newest first. */
    asks: z.array(LiveAsk),
  }),
]);
export type LiveFrame = z.output<typeof LiveFrame>;

/** Why the server closes a live view. */
export const LIVE_CLOSE = {
  session_ended: { code: 4401, reason: "the session has ended" },
  unasked: { code: 1008, reason: "a live view accepts no frames" },
  too_slow: { code: 4408, reason: "it reads too slowly" },
  stopping: { code: 1001, reason: "server is shutting down" },
} as const;
