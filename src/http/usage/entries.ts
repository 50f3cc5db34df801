import { unitsOfNanos } from "../../prices/money.ts";
import type { NamedGroup, RefusalSum, UsageGroup, UsageSum } from "../../store/store.ts";
import type { UsageEntry } from "./schema.ts";

/** The names of agents and users by their ids. */
export type Names = Readonly<Partial<Record<NamedGroup, ReadonlyMap<string, string>>>>;

const NAMED = ["user", "agent"] as const satisfies readonly NamedGroup[];

const NO_ASKS: Omit<UsageSum, "group"> = {
  ...{ asks: 0, failed: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, cacheCreationTokens: 0 },
  ...{ reasoningTokens: 0, estimated: 0, uncounted: 0, durationMs: 0, costNanos: 0, unpriced: 0 },
  ...{ audioMs: 0, images: 0, searchUnits: 0, inputBytes: 0, outputBytes: 0 },
};

type Group = UsageSum["group"];
type Entry = Pick<UsageSum, "group"> & { sums: Omit<UsageSum, "group">; refusals: Record<string, number> };

/** Returns the entries of a report, in the order of the sums, with the refusals of each group. */
export function usageEntries(sums: readonly UsageSum[], refused: readonly RefusalSum[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { group, ...counts } of sums) entries.set(keyOf(group), { group, sums: counts, refusals: {} });
  for (const { group, reason, count } of refused) {
    const key = keyOf(group);
    const entry = entries.get(key) ?? { group, sums: NO_ASKS, refusals: {} };
    entry.refusals[reason] = (entry.refusals[reason] ?? 0) + count;
    entries.set(key, entry);
  }
  const byDay = (a: Entry, b: Entry) => (a.group.day ?? "").localeCompare(b.group.day ?? "");
  return [...entries.values()].sort((a, b) => byDay(a, b) || b.sums.asks - a.sums.asks);
}

function keyOf(group: Group): string {
  return JSON.stringify(Object.entries(group).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the ids of a group in these entries. */
export function idsOf(entries: readonly Entry[], group: NamedGroup): string[] {
  return [...new Set(entries.map((entry) => entry.group[group]))].filter((id) => typeof id === "string");
}

/** Returns an entry as it is written in JSON. */
export function entryOf({ group, sums, refusals }: Entry, names: Names): UsageEntry {
  return {
    ...group,
    ...namesOf(group, names),
    asks: sums.asks,
    failed: sums.failed,
    prompt_tokens: sums.inputTokens,
    completion_tokens: sums.outputTokens,
    cached_tokens: sums.cachedTokens,
    cache_creation_tokens: sums.cacheCreationTokens,
    reasoning_tokens: sums.reasoningTokens,
    estimated: sums.estimated,
    uncounted: sums.uncounted,
    duration_ms: sums.durationMs,
    audio_seconds: sums.audioMs / 1000,
    images: sums.images,
    search_units: sums.searchUnits,
    input_bytes: sums.inputBytes,
    output_bytes: sums.outputBytes,
    cost: sums.costNanos === 0 && sums.unpriced > 0 ? null : unitsOfNanos(sums.costNanos),
    unpriced: sums.unpriced,
    refused: Object.values(refusals).reduce((sum, count) => sum + count, 0),
    refusals,
  };
}

function namesOf(group: Group, names: Names): Pick<UsageEntry, "user_name" | "agent_name"> {
  const found = NAMED.flatMap((kind) => {
    const id = group[kind];
    return id === undefined ? [] : [[`${kind}_name`, id === null ? null : (names[kind]?.get(id) ?? null)]];
  });
  return Object.fromEntries(found);
}

const SUMS = [
  ...(["asks", "failed", "prompt_tokens", "completion_tokens"] as const),
  ...(["cached_tokens", "cache_creation_tokens", "reasoning_tokens"] as const),
  ...(["estimated", "uncounted", "duration_ms"] as const),
  ...(["audio_seconds", "images", "search_units", "input_bytes", "output_bytes"] as const),
  ...(["cost", "unpriced", "refused"] as const),
];

/** Returns the rows of a table for spreadsheets, the names of the columns first. */
export function usageTable(by: readonly UsageGroup[], entries: readonly UsageEntry[]) {
  const groups = by.flatMap((name) =>
    name === "user" || name === "agent" ? [name, `${name}_name`] : [name],
  );
  const columns = [...groups, ...SUMS] as (keyof Omit<UsageEntry, "refusals">)[];
  const rows = entries.map((entry) => [
    ...columns.map((name) => entry[name] ?? null),
    Object.entries(entry.refusals)
      .map(([reason, count]) => `${reason} ${count}`)
      .join("; "),
  ]);
  return [[...columns, "refusals"], ...rows];
}
