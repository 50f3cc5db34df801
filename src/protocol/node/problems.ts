import { z } from "zod";

/**
 * The problems of a server, as its nodes send them to each other and as its API shows them: numbers and names, never
 * content of requests. Each part is bounded, since a peer may be of another version or broken.
 */

/** The kinds of problems. A code keeps its meaning. */
export const PROBLEM_CODES = [
  "agent_failing",
  "requests_waiting",
  "no_agent",
  "model_missing",
  "agent_missing",
  "queue_filling",
  "users_limited",
  "database_away",
  "nats_away",
  "node_lost",
  "certificate",
  "disk_low",
  "clock_differs",
  "admin_key_weak",
  "webhook_failing",
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/**
 * From the worst: `critical` if requests fail or will soon, `warning` if somebody should look, `info` if it is good to
 * know.
 */
export const SEVERITIES = ["critical", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Why requests wait for a model. */
export const WAIT_CAUSES = ["failing", "paused", "full", "mixed", "restricted", "elsewhere", "gone"] as const;

/** The problems of a node, or of all, that are listed. */
export const PROBLEMS_MAX = 50;
/** The agents, models, users and nodes that one problem names. */
export const NAMED_MAX = 10;
export const PROBLEM_NAME_LENGTH_MAX = 128;
export const PROBLEM_REASON_LENGTH_MAX = 300;

const name = z.string().max(PROBLEM_NAME_LENGTH_MAX);
const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** The numbers and names of a problem. Which of them there are depends on its code. */
export const ProblemDetails = z.object({
  /** The agents, models, users and nodes that it concerns: as many as are named. */
  agents: z
    .array(z.object({ id: name, name }))
    .max(NAMED_MAX)
    .optional(),
  models: z.array(name).max(NAMED_MAX).optional(),
  users: z
    .array(z.object({ user_id: name, name: name.nullable() }))
    .max(NAMED_MAX)
    .optional(),
  nodes: z.array(name).max(NAMED_MAX).optional(),
  /** How many agents, models or users it concerns, of which some are named. */
  count: count.optional(),
  /** The requests that wait, were refused, or were asked. */
  requests: count.optional(),
  /** How many of the last requests of an agent failed. */
  failed: count.optional(),
  /** How long the oldest request has waited. */
  wait_ms: ms.optional(),
  /** Why requests wait, and how many agents of the model are in each state. */
  cause: z.enum(WAIT_CAUSES).optional(),
  agents_failing: count.optional(),
  agents_paused: count.optional(),
  agents_full: count.optional(),
  slots: count.optional(),
  /** Since when the agents of the model fail, or when the last one left, in milliseconds since 1970. */
  cause_since: ms.optional(),
  /** Why something fails, in a sentence without its full stop. */
  reason: z.string().max(PROBLEM_REASON_LENGTH_MAX).optional(),
  /** The codes of the errors by which users were refused. */
  refusals: z.array(name).max(NAMED_MAX).optional(),
  /** The maximum, such as that of the requests that may wait. */
  limit: count.optional(),
  free_bytes: count.optional(),
  /** When a certificate expires, in milliseconds since 1970. */
  expires_at: ms.optional(),
  /** Whether the server renews the certificate itself. */
  renews: z.boolean().optional(),
  /** How far the clock is ahead of the database's; negative if it is behind. */
  ahead_ms: z.number().optional(),
  /** Whether requests of known users are served all the same. */
  serves: z.boolean().optional(),
});
export type ProblemDetails = z.output<typeof ProblemDetails>;

export const Problem = z.object({
  code: z.enum(PROBLEM_CODES),
  /** The subject, such as the id of an agent; empty for several, or for the server. */
  subject: z.string().max(PROBLEM_NAME_LENGTH_MAX),
  severity: z.enum(SEVERITIES),
  /** Milliseconds since 1970. */
  since: ms,
  details: ProblemDetails,
});
export type Problem = z.output<typeof Problem>;

/** The problems of another node, without those that this version does not know. */
export const NodeProblems = z
  .array(z.unknown())
  .max(PROBLEMS_MAX)
  .transform((given) =>
    given.flatMap((each) => {
      const { success, data } = Problem.safeParse(each);
      return success ? data : [];
    }),
  );
