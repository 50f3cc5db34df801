import { z } from "zod";
import { USAGE_GROUPS } from "../../store/store.ts";
import { count, text } from "../values.ts";

const group = text.nullable().optional();

/** The totals of one group. Of the four group fields, those are present by which the usage is grouped. */
const UsageEntry = z.object({
  /** Null for the holder of the admin key. */
  user: group,
  /** Null if no agent had the requests. */
  agent: group,
  model: group,
  /** A UTC date such as 2026-11-23. */
  day: group,
  asks: count,
  failed: count,
  prompt_tokens: count,
  completion_tokens: count,
  /** Requests that an agent had and whose tokens were not counted. */
  uncounted: count,
  duration_ms: z.number().nonnegative(),
});
export type UsageEntry = z.output<typeof UsageEntry>;

export const UsageAnswer = z
  .object({
    from: text,
    to: text,
    by: z.array(z.enum(USAGE_GROUPS)),
    /** Whether there are more entries than `limit`. */
    truncated: z.boolean(),
    usage: z.array(UsageEntry),
  })
  .meta({ id: "Usage" });
export type UsageAnswer = z.output<typeof UsageAnswer>;
