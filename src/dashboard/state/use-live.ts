import { api } from "../api/api.ts";
import type { Overview } from "../api/types.ts";
import { useEffect } from "./hooks.ts";
import { createLive, type LiveState } from "./live.ts";
import { session } from "./session.ts";
import { useStore } from "./use-store.ts";

/** A sign-out, here or in another tab, closes the socket just before the page hears of it. */
const SIGN_OUT_MS = 300;

const live = createLive({
  open: openSocket,
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  onLost: () => void setTimeout(checkSession, SIGN_OUT_MS),
});

/** If the session has ended, the response says so, and `request` acts on it. */
function checkSession(): void {
  const current = session.get();
  if (current.state === "in" && current.ended === undefined) void api.session().catch(() => undefined);
}

/** Counts the sign-outs. */
let turn = 0;

// The next person to sign in must not see what this one saw.
session.subscribe(() => {
  if (session.get().state !== "out") return;
  turn++;
  live.state.set({ status: "connecting", overview: undefined });
});

/**
 * Shows the overview that the browser loads beside the script, if it does, until the socket brings a newer one. Call it at
 * once: a browser that keeps what it has loaded would answer a later request with it.
 */
export async function showFirstOverview(): Promise<void> {
  if (!document.querySelector('link[href="/admin/overview"]')) return;
  const own = turn;
  const overview = await loadFirst().catch(() => undefined);
  if (overview && own === turn) live.show(overview);
}

/** A refusal does not end the session, as in `api`: the browser may have kept the page from an administrator's visit. */
async function loadFirst(): Promise<Overview | undefined> {
  const response = await fetch("/admin/overview");
  // It is read in any case, as the connection is free only then.
  const answer = await response.json();
  return response.ok ? answer : undefined;
}

let firstVersion: string | undefined;
live.state.subscribe(() => {
  firstVersion ??= live.state.get().overview?.version;
});

/** Whether the server's version differs from the one that the page came from, after an update. */
export function isAnotherVersion(version: string): boolean {
  return firstVersion !== undefined && firstVersion !== version;
}

/** Returns the live overview, kept up to date while the component is rendered and the page is visible. */
export function useLive(): LiveState {
  useEffect(watchWhileVisible, []);
  return useStore(live.state);
}

/**
 * Disconnects while the page is in the background. The first frame after that brings everything it missed.
 */
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
