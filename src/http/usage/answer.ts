import { z } from "zod";
import type { Principal } from "../../principal.ts";
import { USAGE_GROUPS, type UsageStore, type UsageSum } from "../../store/store.ts";
import { json } from "../context.ts";
import { type Cell, toCsv } from "../csv.ts";
import type { UsageQuestion } from "./query.ts";

const count = z.int().nonnegative();
const group = z.string().nullable().optional();

/** The groups that were asked for, and their sums. */
const UsageEntry = z.object({
  /** Null for the holder of the admin key. */
  user: group,
  /** Null where no agent had them. */
  agent: group,
  model: group,
  day: group,
  asks: count,
  failed: count,
  prompt_tokens: count,
  completion_tokens: count,
  /** Asks that an agent had and whose tokens nobody counted. */
  uncounted: count,
  duration_ms: z.number().nonnegative(),
});
type UsageEntry = z.output<typeof UsageEntry>;

export const UsageAnswer = z.object({
  from: z.string(),
  to: z.string(),
  by: z.array(z.enum(USAGE_GROUPS)),
  /** There are more entries than `limit`. */
  truncated: z.boolean(),
  usage: z.array(UsageEntry),
});

const SUMS = ["asks", "failed", "prompt_tokens", "completion_tokens", "uncounted", "duration_ms"] as const;

/** Answers with what was used, of everyone or of one. */
export async function answerUsage(
  store: UsageStore,
  { format, limit, ...question }: UsageQuestion,
  principal: Principal | undefined,
): Promise<Response> {
  const { from, to, by } = question;
  const found = await store.sum({ from, to, by, limit: limit + 1, principal });
  const truncated = found.length > limit;
  const usage = found.slice(0, limit).map(entryOf);
  if (format === "csv") return csv([...by, ...SUMS], usage, truncated);
  const [begin, end] = [from, to].map((at) => new Date(at).toISOString());
  return json({ from: begin, to: end, by, truncated, usage });
}

function entryOf({ group, asks, failed, promptTokens, completionTokens, uncounted, durationMs }: UsageSum) {
  return {
    ...group,
    asks,
    failed,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    uncounted,
    duration_ms: durationMs,
  };
}

function csv(
  columns: readonly (keyof UsageEntry)[],
  usage: readonly UsageEntry[],
  truncated: boolean,
): Response {
  const rows = usage.map((entry) => columns.map((name): Cell => entry[name] ?? null));
  return new Response(toCsv([columns, ...rows]), {
    headers: {
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": 'attachment; filename="usage.csv"',
      ...(truncated && { "x-truncated": "true" }),
    },
  });
}
