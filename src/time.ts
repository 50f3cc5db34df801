import type { Clock } from "./clock.ts";

/** A clock that counts what is scheduled, so that a leak of timers shows in the log. */
export interface CountingClock extends Clock {
  pending(): number;
}

/** Returns the system's clock. */
export function createClock(): CountingClock {
  let pending = 0;
  return {
    now: () => Date.now(),
    pending: () => pending,
    after(delayMs, run) {
      let waiting = true;
      pending++;
      const end = () => {
        if (waiting) pending--;
        waiting = false;
      };
      const timer = setTimeout(() => {
        end();
        run();
      }, delayMs);
      return () => {
        clearTimeout(timer);
        end();
      };
    },
  };
}

/**
 * Returns a clock with the same timers that begins with the system's time and never jumps, whatever becomes of that: for
 * what must know how much time has passed.
 */
export function steadyClock({ after }: Pick<Clock, "after">): Clock {
  return { after, now: () => performance.timeOrigin + performance.now() };
}

/** Resolves when the work is done or the time is over, whichever comes first. */
export async function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(limitMs, resolve);
  await Promise.race([work, promise]);
  cancel();
}

/** Calls `run` at intervals, without keeping the process alive. Returns a function that stops it. */
export function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}
