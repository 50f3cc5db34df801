import type { Clock } from "../../src/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time forward, and runs in order what becomes due. */
  advance(ms: number): void;
  pending(): number;
}

/** A clock that stands still until it is moved. */
export function createFakeClock(startsAt = 1_700_000_000_000): FakeClock {
  let now = startsAt;
  let order = 0;
  const timers = new Map<number, { at: number; run: () => void }>();
  const nextDue = (until: number) => {
    let due: [number, { at: number; run: () => void }] | undefined;
    for (const entry of timers) if (entry[1].at <= until && (!due || entry[1].at < due[1].at)) due = entry;
    return due;
  };
  return {
    now: () => now,
    pending: () => timers.size,
    after(delayMs, run) {
      const key = order++;
      timers.set(key, { at: now + delayMs, run });
      return () => timers.delete(key);
    },
    advance(ms) {
      const until = now + ms;
      for (let due = nextDue(until); due; due = nextDue(until)) {
        const [key, timer] = due;
        timers.delete(key);
        now = timer.at;
        timer.run();
      }
      now = until;
    },
  };
}

/** Lets the time of a fake clock pass until the promise is settled. */
export async function advanceUntil<Value>(clock: FakeClock, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  while (!isSettled) {
    clock.advance(1_000);
    await Bun.sleep(1);
  }
  return promise;
}
