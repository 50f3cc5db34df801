import { z } from "zod";
import { FINISHED_ASK, MODEL_COUNTS, POOL, SAMPLE, SAMPLES } from "../../protocol/node/lists.ts";
import { ProblemAnswer } from "../alerts/schema.ts";
import { count, namedObject, text, time } from "../values.ts";

export { SAMPLE_FIELDS, type SampleField } from "../../protocol/node/lists.ts";

export const LiveSample = z.strictObject({
  /** When the second began. */
  at: time,
  ...SAMPLE,
});
export type LiveSample = z.output<typeof LiveSample>;

/** A finished request. */
export const LiveAsk = z.strictObject(FINISHED_ASK);
export type LiveAsk = z.output<typeof LiveAsk>;

/** A node of a cluster. Its numbers are like those of the overview. */
export const LiveNode = z.strictObject({
  id: text,
  name: text,
  version: text,
  uptime_ms: count,
  /** Whether it takes no new requests, or will soon take none. */
  draining: z.boolean(),
  ready: POOL.ready,
  agents: POOL.agents,
  slots: POOL.slots,
  queue: POOL.queue,
});
export type LiveNode = z.output<typeof LiveNode>;

/** Present in a cluster, whose numbers are then those of all nodes. */
const CLUSTER = {
  /** The nodes that tell their numbers, this one first. */
  nodes: z.array(LiveNode).optional(),
  /** The names of the nodes that do not. */
  missing_nodes: z.array(text).optional(),
};

/** The problems, the worst first; empty if all is well. */
const problems = z.array(ProblemAnswer);

/**
 * The response of `GET /admin/overview` and the frames of `GET /admin/live`: numbers and names, never
 * content.
 */
const OVERVIEW = {
  version: text,
  started_at: time,
  ...POOL,
  ...CLUSTER,
  models: MODEL_COUNTS,
  samples: z.strictObject(SAMPLES),
  /** Newest first, at most 100. */
  asks: z.array(LiveAsk),
};

/** The overview without the problems, which are found elsewhere. */
export const OverviewFigures = z.strictObject(OVERVIEW);
export type OverviewFigures = z.output<typeof OverviewFigures>;

export const Overview = namedObject("Overview", { ...OVERVIEW, problems });
export type Overview = z.output<typeof Overview>;

/** The first frame of the live view, and the frames that follow it, one a second. */
export const LiveFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("overview"), ...OVERVIEW, problems }),
  z.strictObject({
    type: z.literal("second"),
    ...POOL,
    ...CLUSTER,
    /** Missing if they have not changed. */
    models: MODEL_COUNTS.optional(),
    /** Missing if they have not changed. */
    problems: problems.optional(),
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
