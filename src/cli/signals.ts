/**
 * Resolves at the first SIGTERM or SIGINT. A second one ends the process at once with exit code 1. SIGHUP,
 * which is also sent when a terminal is closed, no longer ends the process; add a listener to act on it.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let asked = false;
  const stop = (signal: NodeJS.Signals) => {
    if (asked) process.exit(1);
    asked = true;
    resolve(signal);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {});
  return promise;
}
