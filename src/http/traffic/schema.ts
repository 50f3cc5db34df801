import { z } from "zod";
import { nameFilter, timeOrDate } from "../usage/query-fields.ts";
import { amount, count, currency, namedObject, text, time } from "../values.ts";

/** The properties by which traffic is compared. */
export const TRAFFIC_GROUPS = ["agent", "model", "user", "surface"] as const;
export type TrafficGroup = (typeof TRAFFIC_GROUPS)[number];

export const TrafficQuery = z.object({
  from: timeOrDate.describe("A date, or a time in RFC 3339. Default: an hour ago."),
  to: timeOrDate.describe(
    "The same. A date includes its whole day, in UTC; a time is excluded. Default: now.",
  ),
  agent: nameFilter.describe("Only requests that the agent with this id had last."),
  model: nameFilter.describe("Only requests for this model."),
  user: nameFilter.describe("Only this user. `admin` is the holder of the admin key."),
  surface: nameFilter.describe("Only requests to this endpoint, such as `chat/completions`."),
  by: z
    .enum(TRAFFIC_GROUPS, "give agent, model, user, or surface")
    .optional()
    .describe("Also returns the totals of each `agent`, `model`, `user`, or `surface`."),
});

const duration = z.number().nonnegative().nullable();

const NUMBERS = {
  asks: count,
  failed: count,
  prompt_tokens: count,
  completion_tokens: count,
  /** In units of the currency. Requests without a price are not in it. */
  cost: amount,
  /** Requests that an agent had and whose cost is not known, as their models had no price. */
  unpriced: count,
};
/** The medians and 95th percentiles, in milliseconds and within 9%; null without requests. */
const DURATIONS = {
  queue_ms_p50: duration,
  queue_ms_p95: duration,
  first_byte_ms_p50: duration,
  first_byte_ms_p95: duration,
  duration_ms_p50: duration,
  duration_ms_p95: duration,
};
/**
 * Output tokens per second of streamed answers after their first byte, the mean of all tokens; null without any, and
 * where they are counted from the kept requests.
 */
const SPEED = { tokens_per_second: z.number().nonnegative().nullable() };
/** How many requests failed with each error code. */
const errors = z.record(text, count);
const REFUSED = {
  /** Requests that were refused before they were queued, which are no `asks`; null if that is not known. */
  refused: count.nullable(),
  /** How many were refused for each reason. */
  refusals: z.record(text, count),
};

const listsOf = <Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape) =>
  Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, z.array(schema)])) as {
    [Name in keyof Shape]: z.ZodArray<Shape[Name]>;
  };

export const TrafficAnswer = namedObject("Traffic", {
  from: time,
  to: time,
  currency,
  /** The length of a step. The first begins at `from`. */
  every_ms: count,
  /**
   * Set if there were too many requests for several filters at once: those that arrived before are not counted. Steps and
   * totals, or the groups, then have the newest requests only.
   */
  counted_from: time.nullable(),
  total: z.strictObject({ ...NUMBERS, ...DURATIONS, ...SPEED, errors, ...REFUSED }),
  /** A list for each number, with an entry for each step. */
  steps: z.strictObject({
    ...listsOf(NUMBERS),
    ...listsOf(DURATIONS),
    ...listsOf(SPEED),
    /** Null if it is not known. */
    refused: z.array(count).nullable(),
    errors: z.record(text, z.array(count)),
  }),
  /** With `by`: the totals of each, most requests first, at most 100. An empty name stands for all others. */
  groups: z
    .array(
      z.strictObject({
        ...{ name: text, label: text.nullable() },
        ...{ ...NUMBERS, ...DURATIONS, ...SPEED, errors, ...REFUSED },
      }),
    )
    .optional(),
});
export type TrafficAnswer = z.output<typeof TrafficAnswer>;
