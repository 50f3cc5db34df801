/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once with code 1. SIGHUP, which also
 * comes when a terminal is closed, does not end it: whoever wants to do something at it adds a listener.
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
