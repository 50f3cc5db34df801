import { join } from "node:path";

/** A process that watches how long a server's event loop is busy at a time. */
export interface TurnWatch {
  /** Resolves with the longest time since the last call. */
  longestMs(): Promise<number>;
  stop(): void;
}

export async function watchTurns(port: number): Promise<TurnWatch> {
  const waiting: PromiseWithResolvers<number>[] = [];
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "processes/turn-watcher.ts"), String(port)],
    {
      ipc: (longestMs: number) => waiting.shift()?.resolve(longestMs),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      onExit: () => {
        for (const { reject } of waiting) reject(new Error("the watch of the event loop has ended"));
      },
    },
  );
  const longestMs = () => {
    const waiter = Promise.withResolvers<number>();
    waiting.push(waiter);
    child.send("longest");
    return waiter.promise;
  };
  // The first answer shows that it runs.
  await longestMs();
  return { longestMs, stop: () => child.kill("SIGKILL") };
}
