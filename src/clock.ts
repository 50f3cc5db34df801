/** Stops what was scheduled. Harmless if it has run already, and if it is called twice. */
export type Cancel = () => void;

/** The time, as a parameter, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  after(delayMs: number, run: () => void): Cancel;
}

/**
 * Calls `run` at the time that `dueAt` returns, in milliseconds since 1970, which may move later meanwhile. One
 * timer serves: when it ends, it is set again for what is left by then. So extending a time-out with each piece of
 * an answer costs nothing.
 */
export function whenDue(clock: Clock, dueAt: () => number, run: () => void): Cancel {
  let stop: Cancel;
  const sleep = (delayMs: number) => {
    stop = clock.after(Math.max(delayMs, 0), () => {
      const leftMs = dueAt() - clock.now();
      if (leftMs > 0) sleep(leftMs);
      else run();
    });
  };
  sleep(dueAt() - clock.now());
  return () => stop();
}
