import { userIdOf } from "../../principal.ts";
import type { AskRecord } from "../../relay/record.ts";
import type { Relay } from "../../relay/relay.ts";
import type { UserStore } from "../../store/store.ts";
import type { Readiness } from "../operations/readiness.ts";
import { type AskedModels, createAskedModels } from "./no-work.ts";
import { createRecentAsks, type RecentAsk } from "./recent-asks.ts";
import { createSamples } from "./samples.ts";
import type { LiveAsk, LiveSample, Overview } from "./schema.ts";
import { createSecond } from "./second.ts";
import { createUserNames } from "./user-names.ts";

export interface FiguresOptions {
  /** Made after the figures, as it tells them what it does. */
  relay: () => Pick<Relay, "stats" | "capacity" | "agents" | "deltas" | "oldestWaitMs" | "knowsModel">;
  users: Pick<UserStore, "find">;
  readiness: () => Readiness;
  version: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  elapsedMs: () => number;
}

/**
 * What went on in the last 15 minutes, and goes on now, for who looks. It is collected always, for some microseconds an
 * ask and a second; it has figures and names, and never what was asked.
 */
export interface Figures {
  /** An ask is over. */
  asked(record: AskRecord): void;
  /** To be called once a second. Gives the second that is over; undefined where it was called too early. */
  closeSecond(): LiveSample | undefined;
  /** Looks up what the methods below tell and cannot wait for. */
  prepare(): Promise<void>;
  /** With the asks up to the `until`th. */
  overview(until?: number): Overview;
  pool(): Omit<Overview, "version" | "started_at" | "models" | "samples" | "asks">;
  models(): Overview["models"];
  /** How many asks have ended. */
  readonly asksCount: number;
  /** Those of them after the first `from`, the newest first. */
  asksAfter(from: number): LiveAsk[];
  askedModels: Pick<AskedModels, "lastAt">;
  startedAt: number;
}

const SECOND_MS = 1_000;
const SAMPLES_MAX = 15 * 60;
const ASKS_MAX = 100;
/** Only who looks wants to know, and a look writes to the disk. */
const READY_KEPT_MS = 5_000;

export function createFigures(options: FiguresOptions): Figures {
  const { relay, now, users, version } = options;
  const recent = createRecentAsks(ASKS_MAX);
  const names = createUserNames(users, now);
  const askedModels = createAskedModels((model) => relay().knowsModel(model));
  const seconds = createSeconds(options);
  const startedAt = now();
  let ready = { status: "ready" as Overview["ready"]["status"], reasons: [] as string[], until: 0 };

  const told = ({ principal, at, ...ask }: RecentAsk): LiveAsk => ({
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
    asked(record) {
      recent.note(record);
      askedModels.note(record);
      seconds.note(record);
    },
    closeSecond: seconds.close,
    async prepare() {
      // Without the store there are no names, and the reasons below say why.
      await names
        .learn(recent.between(0, recent.count).flatMap(({ principal }) => userIdOf(principal) ?? []))
        .catch(() => {});
      if (ready.until > now()) return;
      const reasons = await options.readiness()(1);
      const status = reasons.length > 0 ? "not ready" : "ready";
      ready = { status, reasons, until: now() + READY_KEPT_MS };
    },
    overview: (until = recent.count) => ({
      version,
      started_at: new Date(startedAt).toISOString(),
      ...pool(),
      models: models(),
      samples: seconds.samples(),
      asks: recent.between(0, until).map(told),
    }),
    pool,
    models,
    get asksCount() {
      return recent.count;
    },
    asksAfter: (from) => recent.between(from, recent.count).map(told),
    askedModels,
    startedAt,
  };
}

/** The samples of the seconds that are over, and the one that is not. */
function createSeconds({ relay, now, elapsedMs }: FiguresOptions) {
  const samples = createSamples(SAMPLES_MAX);
  const second = createSecond();
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
      // The process was held up, or asleep: what happened meanwhile is in the one sample that could be taken.
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
