import type { AskRecord } from "../../relay/record.ts";

/** The requests that have ended in the present second. */
export interface CurrentSecond {
  note(record: AskRecord): void;
  /**
   * Returns the counts and medians of this second, and begins the next. A median is null if nothing was
   * measured.
   */
  close(): { ok: number; failed: number; queue_ms: number | null; first_byte_ms: number | null };
}

/** The medians of a second are of this many of its last requests. */
const MEASURED_MAX = 512;

export function createCurrentSecond(): CurrentSecond {
  const queue = createMedian();
  const firstByte = createMedian();
  let ok = 0;
  let failed = 0;
  return {
    note({ outcome, queueMs, firstByteMs }) {
      if (outcome === "ok") ok++;
      else failed++;
      queue.add(queueMs);
      if (firstByteMs !== undefined) firstByte.add(firstByteMs);
    },
    close() {
      const counts = { ok, failed, queue_ms: queue.take(), first_byte_ms: firstByte.take() };
      ok = 0;
      failed = 0;
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
    take(): number | null {
      const measured = values.subarray(0, Math.min(added, MEASURED_MAX)).sort();
      added = 0;
      return measured[measured.length >> 1] ?? null;
    },
  };
}
