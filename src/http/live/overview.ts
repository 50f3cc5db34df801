import { userIdOf } from "../../principal.ts";
import type { AskRecord } from "../../relay/record.ts";
import type { Relay } from "../../relay/relay.ts";
import type { UserStore } from "../../store/store.ts";
import type { Readiness } from "../operations/readiness.ts";
import { createCurrentSecond } from "./current-second.ts";
import { type AskedModels, createAskedModels } from "./idle-reason.ts";
import { createRecentAsks, type RecentAsk } from "./recent-asks.ts";
import { createSampleHistory } from "./sample-history.ts";
import type { LiveAsk, LiveSample, Overview } from "./schema.ts";
import { createUserNames } from "./user-names.ts";

export interface OverviewOptions {
  /** Returns the relay, which is made after the overview because it reports to it. */
  relay: () => Pick<Relay, "stats" | "capacity" | "agents" | "deltas" | "oldestWaitMs" | "knowsModel">;
  users: Pick<UserStore, "find">;
  readiness: () => Readiness;
  version: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Milliseconds of a clock that is never set. */
  elapsedMs: () => number;
}

/**
 * The events of the last 15 minutes and the current state, for the dashboard. They are always collected,
 * which costs some microseconds for each ask and each second. They are numbers and names, never content of
 * requests.
 */
export interface LiveOverview {
  /** Takes a finished ask into account. */
  noteAsk(record: AskRecord): void;
  /**
   * Call it once a second. Returns the sample of the second that is over; undefined if it was called too
   * early.
   */
  closeSecond(): LiveSample | undefined;
  /** Looks up what the methods below return and cannot wait for. */
  prepare(): Promise<void>;
  /** Returns everything, with the asks up to number `until`. */
  read(until?: number): Overview;
  pool(): Omit<Overview, "version" | "started_at" | "models" | "samples" | "asks">;
  models(): Overview["models"];
  /** How many asks have finished. */
  readonly asksCount: number;
  /** Returns the asks after number `from`, newest first. */
  asksAfter(from: number): LiveAsk[];
  askedModels: Pick<AskedModels, "lastAt">;
  startedAt: number;
}

const SECOND_MS = 1_000;
const SAMPLES_MAX = 15 * 60;
const ASKS_MAX = 100;
/** A check writes to the disk, so its result is kept for a while. */
const READY_KEPT_MS = 5_000;

export function createOverview(options: OverviewOptions): LiveOverview {
  const { relay, now, users, version } = options;
  const recent = createRecentAsks(ASKS_MAX);
  const names = createUserNames(users, now);
  const askedModels = createAskedModels((model) => relay().knowsModel(model));
  const seconds = createSeconds(options);
  const startedAt = now();
  let ready = { status: "ready" as Overview["ready"]["status"], reasons: [] as string[], until: 0 };

  const liveAskOf = ({ principal, at, ...ask }: RecentAsk): LiveAsk => ({
    ...ask,
    at: new Date(at).toISOString(),
    user: principal.kind === "admin" ? null : { user_id: principal.id, name: names.get(principal.id) },
  });
  const pool = () => {
    const { agents, slots_in_use, asks_waiting } = relay().stats();
    const { available, slots } = relay().capacity();
    return {
      now: new Date(now()).toISOString(),
      ready: { status: ready.status, reasons: ready.reasons },
      agents: { connected: agents, accepting: available },
      slots: { total: slots, in_use: slots_in_use },
      queue: { length: asks_waiting, oldest_wait_ms: relay().oldestWaitMs() ?? null },
    };
  };
  const models = () => countModels(relay().agents());

  return {
    noteAsk(record) {
      recent.note(record);
      askedModels.note(record);
      seconds.note(record);
    },
    closeSecond: seconds.close,
    async prepare() {
      // If the store fails there are no names, and the reasons below say so.
      await names
        .load(recent.between(0, recent.count).flatMap(({ principal }) => userIdOf(principal) ?? []))
        .catch(() => {});
      if (ready.until > now()) return;
      const reasons = await options.readiness()(1);
      const status = reasons.length > 0 ? "not ready" : "ready";
      ready = { status, reasons, until: now() + READY_KEPT_MS };
    },
    read: (until = recent.count) => ({
      version,
      started_at: new Date(startedAt).toISOString(),
      ...pool(),
      models: models(),
      samples: seconds.samples(),
      asks: recent.between(0, until).map(liveAskOf),
    }),
    pool,
    models,
    get asksCount() {
      return recent.count;
    },
    asksAfter: (from) => recent.between(from, recent.count).map(liveAskOf),
    askedModels,
    startedAt,
  };
}

/** The samples of the past seconds, and the measurements of the present one. */
function createSeconds({ relay, now, elapsedMs }: OverviewOptions) {
  const samples = createSampleHistory(SAMPLES_MAX);
  const second = createCurrentSecond();
  const began = elapsedMs();
  let closed = 0;
  let last = { open: 0, deltas: 0 };
  let lastAt = now();

  function measure() {
    const stats = relay().stats();
    const open = stats.asks_waiting + stats.asks_running;
    const ended = second.close();
    const counts = { asks: open - last.open + ended.ok + ended.failed, deltas: relay().deltas - last.deltas };
    last = { open, deltas: relay().deltas };
    return {
      ...{ ...counts, ...ended, queue: stats.asks_waiting, running: stats.asks_running },
      ...{ slots: relay().capacity().slots, slots_in_use: stats.slots_in_use, agents: stats.agents },
    };
  }

  return {
    note: second.note,
    close(): LiveSample | undefined {
      const due = Math.round((elapsedMs() - began) / SECOND_MS) - closed;
      if (due < 1) return undefined;
      const values = measure();
      // The process was held up or asleep. What happened meanwhile is in the one sample that could be taken.
      const nothing = { asks: 0, ok: 0, failed: 0, deltas: 0, queue_ms: null, first_byte_ms: null };
      for (let missed = Math.min(due - 1, SAMPLES_MAX); missed > 0; missed--)
        samples.add({ ...values, ...nothing });
      samples.add(values);
      closed += due;
      lastAt = now();
      return { at: new Date(lastAt - SECOND_MS).toISOString(), ...values };
    },
    samples: (): Overview["samples"] => ({
      from: new Date(lastAt - samples.length * SECOND_MS).toISOString(),
      every_ms: SECOND_MS,
      ...samples.lists(),
    }),
  };
}

function countModels(agents: ReturnType<Relay["agents"]>): Overview["models"] {
  const counts = new Map<string, number>();
  for (const { offer } of agents)
    for (const id of new Set(offer.models.map((model) => model.id)))
      counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].map(([id, agents]) => ({ id, agents })).sort((a, b) => (a.id < b.id ? -1 : 1));
}
