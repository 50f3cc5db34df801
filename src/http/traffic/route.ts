import { createUserNames } from "../../auth/user-names.ts";
import type { PriceBook } from "../../prices/price-book.ts";
import type { TrafficKind, TrafficStore, UsageStore, UserStore } from "../../store/store.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import type { TrafficMeter } from "./meter.ts";
import { type Period, periodOf, readGroups } from "./period.ts";
import { scanTraffic, type TrafficFilters } from "./scan.ts";
import { TRAFFIC_GROUPS, TrafficAnswer, type TrafficGroup, TrafficQuery } from "./schema.ts";
import { groupsOf, stepsOf, type TrafficGroupTotal, totalOf, UNKNOWN_REFUSED } from "./totals.ts";

interface TrafficDeps {
  usage: Pick<UsageStore, "list">;
  traffic: Pick<TrafficStore, "read">;
  meter: Pick<TrafficMeter, "write">;
  users: Pick<UserStore, "find">;
  prices: Pick<PriceBook, "currency">;
  /** Milliseconds since 1970. */
  now: () => number;
}

const NUMBERS = { asks: 2, failed: 1, prompt_tokens: 14, completion_tokens: 6, cost: 0.000161, unpriced: 0 };
const DURATIONS = {
  ...{ queue_ms_p50: 1, queue_ms_p95: 2, first_byte_ms_p50: 197, first_byte_ms_p95: 197 },
  ...{ duration_ms_p50: 789, duration_ms_p95: 789, tokens_per_second: 41.5 },
};
const TOTAL = {
  ...NUMBERS,
  ...DURATIONS,
  errors: { agent_failed: 1 },
  refused: 1,
  refusals: { limit_requests: 1 },
};

const EXAMPLE: TrafficAnswer = {
  ...{
    from: "2026-11-23T08:00:00.000Z",
    to: "2026-11-23T08:01:00.000Z",
    currency: "EUR",
    every_ms: 60_000,
    counted_from: null,
    total: TOTAL,
  },
  steps: {
    ...{
      asks: [2],
      failed: [1],
      prompt_tokens: [14],
      completion_tokens: [6],
      cost: [0.000161],
      unpriced: [0],
    },
    ...{ queue_ms_p50: [1], queue_ms_p95: [2], first_byte_ms_p50: [197], first_byte_ms_p95: [197] },
    ...{ duration_ms_p50: [789], duration_ms_p95: [789], tokens_per_second: [41.5], refused: [1] },
    errors: { agent_failed: [1] },
  },
  groups: [{ name: SAMPLE.agentId, label: "gpu box", ...TOTAL, ...UNKNOWN_REFUSED }],
};

const ROUTES = {
  readTraffic: route("GET /admin/traffic", {
    access: "admin",
    summary: "Read requests, failures, tokens, costs and durations over time",
    description:
      "A request counts in the step in which it ends. Steps of a minute are kept for a day, and steps of an hour for 31 days; a longer period is made of hours. A step has up to 100 agents, models, users and endpoints each. What these do not tell, such as the numbers of several filters together, is counted from the newest 50,000 requests that match, among some millions: see `counted_from`. With `by`, a filter of the same kind chooses the total, and not the groups. Refused requests are known for everything, a user, or an endpoint.",
    query: TrafficQuery,
    answers: ok("The steps of the period.", TrafficAnswer, EXAMPLE),
  }),
};

const KINDS: Record<TrafficGroup, TrafficKind> = {
  agent: "agent",
  model: "model",
  user: "user",
  surface: "route",
};

/** Requests and their durations over time. */
export const trafficRoutes = resource("Usage", ROUTES).handledBy((deps: TrafficDeps) => {
  const names = createUserNames(deps.users, deps.now);
  const label = async (groups: TrafficGroupTotal[]): Promise<TrafficGroupTotal[]> => {
    const ids = groups.map(({ name }) => name).filter((name) => name !== "admin" && name !== "");
    await names.load(ids);
    return groups.map((group) => ({ ...group, label: names.get(group.name) }));
  };
  return {
    async readTraffic({ query }) {
      const period = periodOf(query, deps.now());
      const { from, to, everyMs, stepMs } = period;
      deps.meter.write(stepMs);
      const filters = filtersOf(query);
      const total = await totalRows(deps, filters, period);
      const grouped = query.by && (await groupRows(deps, { filters, by: query.by }, period));
      const rows = total.steps;
      const steps = await stepsOf(rows, { from, everyMs, count: Math.ceil((to - from) / everyMs) });
      const groups = grouped && (await groupsOf(grouped.groups));
      const known = groups?.map((group) =>
        grouped?.knowsRefused ? group : { ...group, ...UNKNOWN_REFUSED },
      );
      const since = Math.max(total.since ?? 0, grouped?.since ?? 0);
      return {
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        ...{ currency: deps.prices.currency, every_ms: everyMs },
        counted_from: since > from ? new Date(since).toISOString() : null,
        total: { ...(await totalOf(rows)), ...(!total.knowsRefused && UNKNOWN_REFUSED) },
        steps: total.knowsRefused ? steps : { ...steps, refused: null },
        ...(known && { groups: query.by === "user" ? await label(known) : known }),
      };
    },
  };
});

const filtersOf = (query: TrafficFilters): TrafficFilters =>
  Object.fromEntries(
    TRAFFIC_GROUPS.flatMap((group) => (query[group] === undefined ? [] : [[group, query[group]]])),
  );

/** Agents and models are not known of a refused request. */
const KNOWS_REFUSED: Record<TrafficGroup, boolean> = {
  agent: false,
  model: false,
  user: true,
  surface: true,
};

/** Reads the steps that the filters choose. One filter has steps of its own, unless a step has too many names. */
async function totalRows(deps: TrafficDeps, filters: TrafficFilters, period: Period) {
  const { from, to, stepMs } = period;
  const [only, ...others] = TRAFFIC_GROUPS.filter((group) => filters[group] !== undefined);
  const read = (kind: TrafficKind, name: string) => deps.traffic.read({ stepMs, from, to, kind, name });
  if (!only) return { steps: await read("all", ""), knowsRefused: true, since: undefined };
  const isComplete = others.length === 0 && (await read(KINDS[only], "")).length === 0;
  if (!isComplete) return { ...(await scanTraffic(deps.usage, { ...period, filters })), knowsRefused: false };
  const steps = await read(KINDS[only], filters[only] ?? "");
  return { steps, knowsRefused: KNOWS_REFUSED[only], since: undefined };
}

/** Reads the numbers of each name among what the other filters choose. */
async function groupRows(
  deps: TrafficDeps,
  { filters, by }: { filters: TrafficFilters; by: TrafficGroup },
  period: Period,
) {
  const { [by]: _, ...others } = filters;
  if (Object.keys(others).length > 0)
    return { ...(await scanTraffic(deps.usage, { ...period, filters: others, by })), knowsRefused: false };
  const groups = await readGroups(deps, KINDS[by], period);
  return { groups, knowsRefused: KNOWS_REFUSED[by], since: undefined };
}
