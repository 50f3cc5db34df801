import { every as onTimer } from "../time.ts";
import type { Registry } from "./registry.ts";

interface LoopLagOptions {
  registry: Registry;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  every?: typeof onTimer;
}

/** Ten measurements per second cost nothing that can be measured. */
const PERIOD_MS = 100;
const BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/**
 * Measures how late a timer is, which is how long everything else waits too. Returns a function that stops
 * it. The runtime's `monitorEventLoopDelay` offers percentiles, not the buckets of a Prometheus histogram.
 */
export function watchLoopLag(options: LoopLagOptions): () => void {
  const { registry, now = () => performance.now(), every = onTimer } = options;
  const lag = registry.histogram({
    name: "chatgpt_api_event_loop_lag_seconds",
    help: "Delay of a timer of 0.1 s.",
    buckets: BUCKETS_S,
  })();
  let last = now();
  return every(PERIOD_MS, () => {
    const at = now();
    lag.observe(Math.max(0, at - last - PERIOD_MS) / 1000);
    last = at;
  });
}
