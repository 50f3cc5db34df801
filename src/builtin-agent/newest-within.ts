/**
 * Returns a function that resolves with what `load` resolves with, but after `waitMs` at the latest: then with
 * the newest result before, or `first`. A load that takes longer goes on, and later calls wait for it instead of
 * starting another.
 */
export function newestWithin<T>(waitMs: number, load: (signal: AbortSignal) => Promise<T>, first: T) {
  let newest = first;
  let running: Promise<void> | undefined;
  const start = async (signal: AbortSignal) => {
    newest = await load(signal);
    running = undefined;
  };
  return async (signal: AbortSignal): Promise<T> => {
    running ??= start(signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    await Promise.race([running, promise]);
    clearTimeout(timer);
    return newest;
  };
}
