import { createUserNames } from "../../auth/user-names.ts";
import { userIdOf } from "../../principal.ts";
import type { AskRecord } from "../../relay/record.ts";
import type { Relay } from "../../relay/relay.ts";
import type { UserStore } from "../../store/store.ts";
import type { Readiness } from "../operations/readiness.ts";
import { failingAgents } from "./failing-agents.ts";
import { createAskedModels } from "./idle-reason.ts";
import { createRecentAsks, type RecentAsk } from "./recent-asks.ts";
import type { LiveAsk, OverviewFigures } from "./schema.ts";
import { createSeconds, type SecondsOptions } from "./seconds.ts";

interface OverviewOptions extends SecondsOptions {
  relay: () => Pick<Relay, "stats" | "capacity" | "agents" | "deltas" | "oldestWaitMs" | "knowsModel">;
  users: Pick<UserStore, "find">;
  /** Returns the readiness check, which is made later because it needs the relay. */
  readiness: () => Readiness;
  version: string;
}

const ASKS_MAX = 100;
/** A check writes to the disk, so its result is kept for a while. */
const READY_KEPT_MS = 5_000;

export type LiveOverview = ReturnType<typeof createOverview>;

/**
 * The events of the last 15 minutes and the current state, for the dashboard. They are always collected,
 * which costs some microseconds for each ask and each second. They are numbers and names, never content of
 * requests.
 */
export function createOverview(options: OverviewOptions) {
  const { relay, now, users, version } = options;
  const recent = createRecentAsks(ASKS_MAX);
  const names = createUserNames(users, now);
  const askedModels = createAskedModels((model) => relay().knowsModel(model));
  const seconds = createSeconds(options);
  const startedAt = now();
  let ready: OverviewFigures["ready"] = { status: "ready", reasons: [] };
  let readyUntil = 0;

  const liveAskOf = ({ principal, at, ...ask }: RecentAsk): LiveAsk => ({
    ...ask,
    at: new Date(at).toISOString(),
    user: principal.kind === "admin" ? null : { user_id: principal.id, name: names.get(principal.id) },
  });
  /** Returns the present state of the agents and the queue. */
  const pool = () => {
    const { agents, slots_in_use, asks_waiting } = relay().stats();
    const { available, slots } = relay().capacity();
    const failing = failingAgents(relay().agents());
    return {
      now: new Date(now()).toISOString(),
      ready,
      agents: { connected: agents, accepting: available, ...(failing && { failing }) },
      slots: { total: slots, in_use: slots_in_use },
      queue: { length: asks_waiting, oldest_wait_ms: relay().oldestWaitMs() ?? null },
    };
  };
  const models = () => countModels(relay().agents());

  return {
    /** Takes a finished ask into account. */
    noteAsk(record: AskRecord): void {
      recent.note(record);
      askedModels.note(record);
      seconds.note(record);
    },
    /** Takes a request into account that was refused before it was queued. */
    noteRefusal: seconds.noteRefusal,
    /** Call it once a second. */
    closeSecond: seconds.close,
    /** Looks up what the methods below return and cannot wait for. */
    async prepare(): Promise<void> {
      const ids = recent.between(0, recent.count).flatMap(({ principal }) => userIdOf(principal) ?? []);
      // If the store fails there are no names, and the reasons below say so.
      await names.load(ids).catch(() => {});
      if (readyUntil > now()) return;
      const { reasons, degraded } = await options.readiness()(1);
      const status = reasons.length > 0 ? "not ready" : "ready";
      ready = { status, reasons, ...(degraded.length > 0 && { degraded }) };
      readyUntil = now() + READY_KEPT_MS;
    },
    /** Returns everything, with the asks up to number `until`. */
    read: (until = recent.count): OverviewFigures => ({
      version,
      started_at: new Date(startedAt).toISOString(),
      ...pool(),
      models: models(),
      samples: seconds.samples(),
      asks: recent.between(0, until).map(liveAskOf),
    }),
    pool,
    models,
    /** How many asks have finished. */
    get asksCount() {
      return recent.count;
    },
    /** Returns the asks after number `from`, newest first. */
    asksAfter: (from: number) => recent.between(from, recent.count).map(liveAskOf),
    askedModels,
    startedAt,
  };
}

function countModels(agents: ReturnType<Relay["agents"]>): OverviewFigures["models"] {
  const counts = new Map<string, number>();
  for (const { offer } of agents)
    for (const id of new Set(offer.models.map((model) => model.id)))
      counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].map(([id, agents]) => ({ id, agents })).sort((a, b) => (a.id < b.id ? -1 : 1));
}
