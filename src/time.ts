export const DAY_MS = 86_400_000;

/** Calls `run` at intervals, without keeping the process alive. Returns a function that stops it. */
export function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}
