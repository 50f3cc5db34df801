import { useEffect } from "hono/jsx/dom";
import { api } from "../api/api.ts";
import { createLive, type LiveState } from "./live.ts";
import { session } from "./session.ts";
import { useStore } from "./use-store.ts";

const live = createLive({
  open: openSocket,
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  // Whether the session has ended is what the answer says, and is acted upon where it is read.
  onLost: () => void api.session().catch(() => undefined),
});

// Nothing of what one has seen is there for whoever signs in next.
session.subscribe(() => {
  if (session.get().state === "out") live.state.set({ status: "connecting", pool: undefined });
});

let firstVersion: string | undefined;
live.state.subscribe(() => {
  firstVersion ??= live.state.get().pool?.version;
});

/** Whether the page came from a server of another version: it was updated while the page was open. */
export function isOlderThan(version: string): boolean {
  return firstVersion !== undefined && firstVersion !== version;
}

/** The pool as it is, for as long as the component is drawn and somebody can see it. */
export function useLive(): LiveState {
  useEffect(watchWhileVisible, []);
  return useStore(live.state);
}

/** A page in the background asks for nothing, and comes back with all that it has missed. */
function watchWhileVisible(): () => void {
  let stop = document.hidden ? undefined : live.watch();
  const change = () => {
    if (document.hidden) {
      stop?.();
      stop = undefined;
    } else stop ??= live.watch();
  };
  document.addEventListener("visibilitychange", change);
  return () => {
    document.removeEventListener("visibilitychange", change);
    stop?.();
  };
}

function openSocket(on: { message(data: unknown): void; close(): void }): () => void {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/admin/live`);
  socket.onmessage = ({ data }) => on.message(data);
  socket.onclose = () => on.close();
  return () => {
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  };
}
