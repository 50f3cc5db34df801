import { z } from "zod";

/** What `GET /admin/overview` answers and `GET /admin/live` sends: figures and names, never what was asked. */
const text = z.string();
const time = z.iso.datetime({ offset: true });
const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** Of one second. */
const COUNTS = {
  /** Asks that came. */
  asks: count,
  /** Asks that ended well, and those that did not. */
  ok: count,
  failed: count,
  /** Pieces of streamed answers. */
  deltas: count,
};

/** At the end of it. */
const LEVELS = {
  /** Asks that wait, and those at an agent. */
  queue: count,
  running: count,
  slots: count,
  slots_in_use: count,
  agents: count,
};

/** Medians of the asks that ended in it; null where none did, or none had an answer. */
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

/** An ask that is over. */
export const LiveAsk = z.strictObject({
  request_id: text,
  /** When it ended. */
  at: time,
  /** Null for the holder of the admin key. */
  user: z.strictObject({ user_id: text, name: text.nullable() }).nullable(),
  /** Null where no agent had it. */
  agent: z.strictObject({ id: text, name: text }).nullable(),
  model: text.nullable(),
  /** The route's name, such as `ask` or `chat/completions`. */
  surface: text,
  /** `ok`, or the code of the error. */
  outcome: text,
  /** The upstream's, where it gave one. */
  upstream_status: z.int().nullable(),
  queue_ms: ms,
  first_byte_ms: ms.nullable(),
  duration_ms: ms,
  prompt_tokens: count.nullable(),
  completion_tokens: count.nullable(),
});
export type LiveAsk = z.output<typeof LiveAsk>;

/** How the pool is now. */
const POOL = {
  now: time,
  ready: z.strictObject({ status: z.enum(["ready", "not ready"]), reasons: z.array(text) }),
  /** `accepting` want work, busy or not. */
  agents: z.strictObject({ connected: count, accepting: count }),
  slots: z.strictObject({ total: count, in_use: count }),
  queue: z.strictObject({ length: count, oldest_wait_ms: ms.nullable() }),
};

/** By name, with how many agents offer it. */
const models = z.array(z.strictObject({ id: text, agents: z.int().min(1) }));

const OVERVIEW = {
  version: text,
  started_at: time,
  ...POOL,
  models,
  samples: z.strictObject({
    /** When the first second began; each list has one entry for each second from then on, 900 at most. */
    from: time,
    every_ms: z.literal(1000),
    ...(Object.fromEntries(Object.entries(SAMPLE).map(([name, field]) => [name, z.array(field)])) as {
      [Field in SampleField]: z.ZodArray<(typeof SAMPLE)[Field]>;
    }),
  }),
  /** The newest first, 100 at most. */
  asks: z.array(LiveAsk),
};

export const Overview = z.strictObject(OVERVIEW).meta({ id: "Overview" });
export type Overview = z.output<typeof Overview>;

/** The first frame of the live view, and those that follow it, one a second. */
export const LiveFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("overview"), ...OVERVIEW }),
  z.strictObject({
    type: z.literal("second"),
    ...POOL,
    /** Where they are others than before. */
    models: models.optional(),
    sample: LiveSample,
    /** Those that have ended since the frame before, the newest first. */
    asks: z.array(LiveAsk),
  }),
]);
export type LiveFrame = z.output<typeof LiveFrame>;

/** Why the server closes a live view. */
export const LIVE_CLOSE = {
  session_ended: { code: 4401, reason: "the session has ended" },
  unasked: { code: 1008, reason: "a live view takes no frames" },
  too_slow: { code: 4408, reason: "it reads too slowly" },
  stopping: { code: 1001, reason: "server is shutting down" },
} as const;
