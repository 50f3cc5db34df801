import type { Principal } from "../../principal.ts";
import type { UsageStore, UsageSum } from "../../store/store.ts";
import { json } from "../context.ts";
import { type Cell, toCsv } from "../csv.ts";
import type { UsageQuestion } from "./query.ts";
import type { UsageEntry } from "./schema.ts";

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
