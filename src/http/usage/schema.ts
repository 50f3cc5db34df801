import { z } from "zod";
import { USAGE_GROUPS, type UsageGroup } from "../../store/store.ts";
import { amount, count, currency, text } from "../values.ts";
import { timeOrDate } from "./query-fields.ts";

const ENTRIES_MAX = 10_000;

function groups<Group extends UsageGroup>(allowed: readonly Group[]) {
  const isAllowed = (name: string): name is Group => allowed.some((group) => group === name);
  return text.default("day").transform((text, context) => {
    const names = text === "" ? [] : [...new Set(text.split(",").map((name) => name.trim()))];
    if (names.every(isAllowed)) return names;
    context.addIssue(`give some of: ${allowed.join(", ")}`);
    return z.NEVER;
  });
}

/** The query for one user's usage. */
export const UserUsageQuery = z.object({
  from: timeOrDate.describe("A date, or a time in RFC 3339. Default: 30 days ago."),
  to: timeOrDate.describe(
    "The same. A date includes its whole day, in UTC; a time is excluded. Default: the end of today.",
  ),
  by: groups(USAGE_GROUPS).describe(
    "Some of `user`, `agent`, `model` and `day`, separated by commas. Empty: one sum.",
  ),
  format: z.enum(["json", "csv"], "give json or csv").default("json").describe("CSV is for spreadsheets."),
  limit: text
    .regex(/^\d{1,5}$/, `give a number from 1 to ${ENTRIES_MAX}`)
    .default("1000")
    .transform(Number)
    .refine((count) => count >= 1 && count <= ENTRIES_MAX, `give a number from 1 to ${ENTRIES_MAX}`)
    .describe(`The maximum number of entries, up to ${ENTRIES_MAX}.`),
});

export const UsageQuery = UserUsageQuery.extend({
  user: text.optional().describe("Only this user. `admin` is the holder of the admin key."),
});

/** The query for the caller's own usage. Callers may not learn of other users and of agents. */
export const OwnUsageQuery = UserUsageQuery.extend({
  by: groups(["model", "day"]).describe("`model`, `day`, or both separated by a comma. Empty: one sum."),
});

const group = text.nullable().optional();

/** How many requests were refused for each reason, by error code. */
const Refusals = z.record(text, z.int().min(1));

/** The totals of one group. Of the four group fields, those are present by which the usage is grouped. */
const UsageEntry = z.object({
  /** Null for the holder of the admin key. */
  user: group,
  /** Beside `user` and `agent`. The last name that is known, also of those that are gone; null without one. */
  user_name: group,
  /** Null if no agent had the requests. */
  agent: group,
  agent_name: group,
  model: group,
  /** A UTC date such as 2026-11-23. */
  day: group,
  asks: count,
  failed: count,
  prompt_tokens: count,
  completion_tokens: count,
  /** The input tokens that upstreams read from their prompt caches, and those that they wrote to them. */
  cached_tokens: count,
  cache_creation_tokens: count,
  /** The output tokens of reasoning. */
  reasoning_tokens: count,
  /** Requests whose tokens are estimates. */
  estimated: count,
  /** Requests that an agent had and for which no tokens are counted. */
  uncounted: count,
  duration_ms: z.number().nonnegative(),
  /** The audio that was transcribed or translated, of upstreams that tell it. */
  audio_seconds: z.number().nonnegative(),
  images: count,
  /** The units that rankings are billed in. */
  search_units: count,
  /** The bytes of requests for audio and images that agents got, and of their answers. */
  input_bytes: count,
  output_bytes: count,
  /** In units of the currency, by the prices at the ends of the requests. Null if none of them had a price. */
  cost: amount.nullable(),
  /** Requests that an agent had and whose cost is not known, as their models had no price. They are not in `cost`. */
  unpriced: count,
  /**
   * Requests that were refused before they became an ask, by the hour in which they came. They are not among `asks`, and
   * have neither agent nor model.
   */
  refused: count,
  /** The same by reason. */
  refusals: Refusals,
});
export type UsageEntry = z.output<typeof UsageEntry>;

export const UsageAnswer = z
  .object({
    from: text,
    to: text,
    by: z.array(z.enum(USAGE_GROUPS)),
    /** Whether there are more entries than `limit`. */
    truncated: z.boolean(),
    currency,
    /** Present if requests are missing, because they cannot be written. */
    warning: text.optional(),
    usage: z.array(UsageEntry),
  })
  .meta({ id: "Usage" });
export type UsageAnswer = z.output<typeof UsageAnswer>;
