import { openHttpConnection } from "./http-connection.ts";

const REQUEST = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** A pause leaves the server the time for its other work. */
const PAUSE_MS = 1;

/** Watches how long a server's event loop is busy at a time, by requests that need no work. */
export interface TurnWatch {
  /** Returns the longest that a request took since the last call, the one that is running included. */
  longestMs(): number;
  stop(): void;
}

/** Starts to send requests, each after the answer to the last one. */
export async function watchTurns(port: number): Promise<TurnWatch> {
  const connection = await openHttpConnection(port);
  let longest = 0;
  let sentAt: number | undefined;
  let isStopped = false;
  const note = () => {
    if (sentAt !== undefined) longest = Math.max(longest, performance.now() - sentAt);
  };
  const run = async () => {
    while (!isStopped) {
      sentAt = performance.now();
      await connection.send(REQUEST, () => {});
      note();
      sentAt = undefined;
      await Bun.sleep(PAUSE_MS);
    }
  };
  run().catch(() => {});
  return {
    longestMs() {
      note();
      const value = longest;
      longest = 0;
      if (sentAt !== undefined) sentAt = performance.now();
      return value;
    },
    stop() {
      isStopped = true;
      connection.close();
    },
  };
}
