import { SECOND_MS } from "../../durations.ts";
import type { AskRecord } from "../../relay/record.ts";
import type { Relay } from "../../relay/relay.ts";
import { type LiveSample, type Overview, SAMPLE_FIELDS, type SampleField } from "./schema.ts";

type Values = Omit<LiveSample, "at">;

export interface SecondsOptions {
  /** Returns the relay, which is made later because it reports to the overview. */
  relay: () => Pick<Relay, "stats" | "capacity" | "deltas">;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Milliseconds of a clock that is never set. */
  elapsedMs: () => number;
}

const SAMPLES_MAX = 15 * 60;
/** The medians of a second are of this many of its last requests. */
const MEASURED_MAX = 512;

/** The samples of the past seconds, and the measurements of the present one. */
export function createSeconds({ relay, now, elapsedMs }: SecondsOptions) {
  const samples = createSampleHistory();
  const second = createCurrentSecond();
  const began = elapsedMs();
  let closed = 0;
  let last = { open: 0, deltas: 0 };
  let lastAt = now();

  function measure(): Values {
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
    noteRefusal: second.noteRefusal,
    /** Returns the sample of the second that is over; undefined if none is. */
    close(): LiveSample | undefined {
      const due = Math.round((elapsedMs() - began) / SECOND_MS) - closed;
      if (due < 1) return undefined;
      const values = measure();
      // The process was held up or asleep. What happened meanwhile is in the one sample that could be taken.
      const nothing = {
        asks: 0,
        ok: 0,
        failed: 0,
        refused: 0,
        deltas: 0,
        queue_ms: null,
        first_byte_ms: null,
      };
      for (let missed = Math.min(due - 1, SAMPLES_MAX); missed > 0; missed--)
        samples.add({ ...values, ...nothing });
      samples.add(values);
      closed += due;
      lastAt = now();
      return { at: new Date(lastAt - SECOND_MS).toISOString(), ...values };
    },
    samples(): Overview["samples"] {
      const lists = samples.lists();
      const from = new Date(lastAt - lists.asks.length * SECOND_MS).toISOString();
      return { from, every_ms: SECOND_MS, ...lists };
    },
  };
}

/** The samples of the last 15 minutes, in arrays that are allocated once. */
function createSampleHistory() {
  const rings = new Map(SAMPLE_FIELDS.map((field) => [field, new Float64Array(SAMPLES_MAX)] as const));
  let added = 0;
  const list = (ring: Float64Array) => {
    const length = Math.min(added, SAMPLES_MAX);
    const first = added - length;
    return Array.from({ length }, (_, index) => numberOrNull(ring[(first + index) % SAMPLES_MAX]));
  };
  return {
    add(values: Values): void {
      // A median of nothing, null, is stored as NaN.
      for (const [field, ring] of rings) ring[added % SAMPLES_MAX] = values[field] ?? Number.NaN;
      added++;
    },
    /** Returns a list for each field, the oldest value first. */
    lists: () =>
      Object.fromEntries([...rings].map(([field, ring]) => [field, list(ring)])) as {
        [Field in SampleField]: Values[Field][];
      },
  };
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** The requests that have ended in the present second. */
function createCurrentSecond() {
  const queue = createMedian();
  const firstByte = createMedian();
  let ok = 0;
  let failed = 0;
  let refused = 0;
  return {
    note({ outcome, queueMs, firstByteMs }: AskRecord): void {
      if (outcome === "ok") ok++;
      else failed++;
      queue.add(queueMs);
      if (firstByteMs !== undefined) firstByte.add(firstByteMs);
    },
    noteRefusal(): void {
      refused++;
    },
    /** Returns the counts and medians of this second, and begins the next. */
    close() {
      const counts = { ok, failed, refused, queue_ms: queue.take(), first_byte_ms: firstByte.take() };
      ok = 0;
      failed = 0;
      refused = 0;
      return counts;
    },
  };
}

function createMedian() {
  const values = new Float64Array(MEASURED_MAX);
  let added = 0;
  return {
    add(value: number): void {
      values[added++ % MEASURED_MAX] = value;
    },
    /** Returns the median of the values since the last call; null if there were none. */
    take(): number | null {
      const measured = values.subarray(0, Math.min(added, MEASURED_MAX)).sort();
      added = 0;
      return measured[measured.length >> 1] ?? null;
    },
  };
}
