/** Stops what was scheduled; harmless when it ran already. */
export type Cancel = () => void;

/** Time, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  after(delayMs: number, run: () => void): Cancel;
}

export function createClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves when the work is done or the time is over, whichever is first. */
export async function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(limitMs, resolve);
  await Promise.race([work, promise]);
  cancel();
}
