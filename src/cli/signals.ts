/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once with code 1. SIGHUP is
 * ignored, so that a closed terminal does not end a server meant to stay.
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
