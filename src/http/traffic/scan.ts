import { HOUR_MS } from "../../durations.ts";
import { principalName, principalNamed, principalOf } from "../../principal.ts";
import type { RequestPlace, StoredRequest, TrafficStep, UsageStore } from "../../store/store.ts";
import type { TrafficGroup } from "./schema.ts";
import { type EndedRequest, endedRequest, Tally } from "./tally.ts";

export type TrafficFilters = Partial<Record<TrafficGroup, string | undefined>>;
type Row = Pick<TrafficStep, "at" | "name" | "data">;

interface ScanQuery {
  from: number;
  to: number;
  everyMs: number;
  filters: TrafficFilters;
  by?: TrafficGroup | undefined;
}

export interface Scanned {
  /** The numbers of each step. */
  steps: Row[];
  /** Those of each name. */
  groups: Row[];
  /** Requests that ended before this time were not looked at, as there are too many; undefined if all were. */
  since: number | undefined;
}

/** The most requests that are counted, and the most pages that are read, each of which looks through a bounded number. */
const COUNTED_MAX = 50_000;
const PAGES_MAX = 60;
const PAGE_ROWS = 1_000;
const NAMES_MAX = 1_000;
/** A request that arrived before the period may end in it. Hardly any takes longer. */
const DURATION_MAX_MS = HOUR_MS;

/**
 * Counts the kept requests of several filters, for which there are no steps of time. Begins with the newest, and is
 * bounded.
 */
export async function scanTraffic(usage: Pick<UsageStore, "list">, query: ScanQuery): Promise<Scanned> {
  const { from, to, everyMs, by, filters } = query;
  const { user, agent, model, surface } = filters;
  const principal = user === undefined ? undefined : principalNamed(user);
  const [steps, groups] = [new Map<number, Tally>(), new Map<string, Tally>()];
  const note = (row: StoredRequest): void => {
    const at = row.at + row.durationMs;
    if (at < from || at >= to) return;
    const request = { row, ended: endedOf(row) };
    noteIn(steps, from + Math.floor((at - from) / everyMs) * everyMs, request);
    if (by) noteIn(groups, nameIn(groups, by, row), request);
  };
  let after: RequestPlace | undefined;
  let counted = 0;
  for (let page = 0; page < PAGES_MAX && counted < COUNTED_MAX; page++) {
    const { requests, next } = await usage.list({
      ...{ from: from - DURATION_MAX_MS, to, limit: PAGE_ROWS, after },
      ...{ principal, agent, model, surface },
    });
    requests.forEach(note);
    counted += requests.length;
    if (next === null) return { steps: rowsOf(steps), groups: namedRowsOf(groups), since: undefined };
    after = next;
  }
  return { steps: rowsOf(steps), groups: namedRowsOf(groups), since: after?.at };
}

/** The rows do not tell which answers were streamed, so nothing is counted of their speed. */
function endedOf(row: StoredRequest): EndedRequest {
  return endedRequest({
    ...{ outcome: row.outcome, queueMs: row.queueMs, durationMs: row.durationMs, costNanos: row.costNanos },
    agent: row.agent,
    ...{ firstByteMs: row.firstByteMs ?? undefined, deltas: 0 },
    ...{ inputTokens: row.inputTokens ?? 0, outputTokens: row.outputTokens ?? 0 },
  });
}

function noteIn<Key>(
  tallies: Map<Key, Tally>,
  key: Key,
  { row, ended }: { row: StoredRequest; ended: EndedRequest },
): void {
  const tally = tallies.get(key) ?? new Tally();
  tally.note(ended);
  if (row.agentName !== null && key === row.agent) tally.label ??= row.agentName;
  tallies.set(key, tally);
}

/** Returns the name under which a request is counted: the empty one for all that have none, or are too many. */
function nameIn(groups: ReadonlyMap<string, Tally>, by: TrafficGroup, row: StoredRequest): string {
  const name =
    {
      agent: row.agent,
      model: row.model,
      user: principalName(principalOf(row.userId)),
      surface: row.surface,
    }[by] ?? "";
  return groups.has(name) || groups.size < NAMES_MAX ? name : "";
}

const rowsOf = (tallies: ReadonlyMap<number, Tally>): Row[] =>
  [...tallies].map(([at, tally]) => ({ at, name: "", data: tally.pack() }));

const namedRowsOf = (tallies: ReadonlyMap<string, Tally>): Row[] =>
  [...tallies].map(([name, tally]) => ({ at: 0, name, data: tally.pack() }));
