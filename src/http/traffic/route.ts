import type { PriceBook } from "../../prices/price-book.ts";
import type { TrafficKind, TrafficStore, UserStore } from "../../store/store.ts";
import { createUserNames } from "../live/overview.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import type { TrafficMeter } from "./meter.ts";
import { periodOf, readGroups } from "./period.ts";
import { TRAFFIC_GROUPS, TrafficAnswer, type TrafficGroup, TrafficQuery } from "./schema.ts";
import { groupsOf, stepsOf, type TrafficGroupTotal, totalOf } from "./totals.ts";

interface TrafficDeps {
  traffic: Pick<TrafficStore, "read">;
  meter: Pick<TrafficMeter, "write">;
  users: Pick<UserStore, "find">;
  prices: Pick<PriceBook, "currency">;
  /** Milliseconds since 1970. */
  now: () => number;
}

const NUMBERS = { asks: 2, failed: 1, prompt_tokens: 14, completion_tokens: 6, cost: 0.000161 };
const DURATIONS = {
  ...{ queue_ms_p50: 1, queue_ms_p95: 2, first_byte_ms_p50: 197, first_byte_ms_p95: 197 },
  ...{ duration_ms_p50: 789, duration_ms_p95: 789, tokens_per_second: 41.5 },
};
const TOTAL = { ...NUMBERS, ...DURATIONS, errors: { agent_failed: 1 } };

const EXAMPLE: TrafficAnswer = {
  ...{
    from: "2026-11-23T08:00:00.000Z",
    to: "2026-11-23T08:01:00.000Z",
    currency: "EUR",
    every_ms: 60_000,
    total: TOTAL,
  },
  steps: {
    ...{ asks: [2], failed: [1], prompt_tokens: [14], completion_tokens: [6], cost: [0.000161] },
    ...{ queue_ms_p50: [1], queue_ms_p95: [2], first_byte_ms_p50: [197], first_byte_ms_p95: [197] },
    ...{
      duration_ms_p50: [789],
      duration_ms_p95: [789],
      tokens_per_second: [41.5],
      errors: { agent_failed: [1] },
    },
  },
  groups: [{ name: SAMPLE.agentId, label: "gpu box", ...TOTAL }],
};

const ROUTES = {
  readTraffic: route("GET /admin/traffic", {
    access: "admin",
    summary: "Read requests, failures, tokens and durations over time",
    description:
      "A request counts in the step in which it ends. Steps of a minute are kept for a day, and steps of an hour for 31 days; a longer period is made of hours. A step has up to 100 agents, models, users and endpoints each.",
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
      const only = TRAFFIC_GROUPS.find((group) => query[group] !== undefined);
      const kind = only ? KINDS[only] : "all";
      const read = (kind: TrafficKind, name?: string) =>
        deps.traffic.read({ stepMs, from, to, kind, ...(name !== undefined && { name }) });
      const rows = await read(kind, only ? query[only] : "");
      const groups = query.by && (await groupsOf(await readGroups(deps, KINDS[query.by], period)));
      return {
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        ...{ currency: deps.prices.currency, every_ms: everyMs },
        total: await totalOf(rows),
        steps: await stepsOf(rows, { from, everyMs, count: Math.ceil((to - from) / everyMs) }),
        ...(groups && { groups: query.by === "user" ? await label(groups) : groups }),
      };
    },
  };
});
