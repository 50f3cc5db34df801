import type { Clock } from "../clock.ts";
import { DAY_MS } from "../durations.ts";

/** The longest time that a CA may make this program wait. */
const RETRY_AFTER_MAX_MS = 7 * DAY_MS;

/** Resolves after the time, or rejects with the signal's reason if that is aborted first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const cancel = clock.after(ms, resolve);
  return promise.finally(() => {
    cancel();
    signal.removeEventListener("abort", abort);
  });
}

/** Returns the time of a `Retry-After` header, in milliseconds from now; undefined without one that can be read. */
export function retryAfterOf(headers: Headers, clock: Pick<Clock, "now">): number | undefined {
  const text = headers.get("retry-after") ?? "";
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS);
}
