import type { ConnectionOptions } from "./server-connection.ts";
import { openSocket } from "./web-socket.ts";

/** How long the upgrade and a ping may take. */
const PROBE_MS = 10_000;

/** Resolves with whether a WebSocket to the server opens and passes a ping and its pong. It says no hello. */
export function doSocketsWork({ clock, ...options }: ConnectionOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = openSocket(options);
  let isOver = false;
  const end = (works: boolean) => {
    if (isOver) return;
    isOver = true;
    stop();
    socket.terminate();
    resolve(works);
  };
  const stop = clock.after(PROBE_MS, () => end(false));
  socket.onopen = () => socket.ping();
  socket.addEventListener("pong", () => end(true));
  socket.onclose = () => end(false);
  return promise;
}
