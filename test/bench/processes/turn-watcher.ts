/*
 * Watches how long a server's event loop is busy at a time, by requests to `/health`, each after the answer to the
 * last one. It is a process of its own, as the bench is busy itself when many of its requests end at once. Gets the
 * port as its argument, sends the longest time so far for each message, and ends with the process that started it.
 */
import { openHttpConnection } from "../http-connection.ts";

const REQUEST = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** A pause leaves the server the time for its other work. */
const PAUSE_MS = 1;

const connection = await openHttpConnection(Number(process.argv[2]));
let longestMs = 0;
let sentAt: number | undefined;

/** Takes the request that is running into account, too. */
function note(): void {
  if (sentAt !== undefined) longestMs = Math.max(longestMs, performance.now() - sentAt);
}

process.on("message", () => {
  note();
  process.send?.(longestMs);
  longestMs = 0;
  if (sentAt !== undefined) sentAt = performance.now();
});
process.on("disconnect", () => process.exit());

for (;;) {
  sentAt = performance.now();
  await connection.send(REQUEST, () => {});
  note();
  sentAt = undefined;
  await Bun.sleep(PAUSE_MS);
}
