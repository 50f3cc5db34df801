import type { Clock } from "../relay/ports.ts";

/** The system's clock; it counts what is scheduled, so that a leak of timers shows in the log. */
export function createClock(): Clock & { pending(): number } {
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

/** Resolves when the work is done or the time is over, whichever is first. */
export async function within(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
