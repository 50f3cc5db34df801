import { api } from "../api/api.ts";
import { ApiError, onSessionEnd, textOf } from "../api/request.ts";
import type { SessionAnswer } from "../api/types.ts";
import { createStore, type Store } from "./store.ts";

export type Session =
  | { state: "loading" }
  /** `notice` says why: a session that ended, or a link that did not work. */
  | { state: "out"; notice?: string }
  | { state: "in"; who: SessionAnswer }
  | { state: "failed"; error: string; again(): Promise<void> };

export const session: Store<Session> = createStore<Session>({ state: "loading" });

/**
 * That somebody has signed in here. The cookie cannot be seen from here, and to ask for a session without one is an
 * error in the browser's console, on every visit.
 */
const MARK = "chatgpt-api-server.session";

onSessionEnd(() => {
  if (session.get().state === "in") leave("Your session has ended. Sign in again.");
});

function enter(who: SessionAnswer): void {
  localStorage.setItem(MARK, "1");
  session.set({ state: "in", who });
}

function leave(notice?: string): void {
  localStorage.removeItem(MARK);
  session.set({ state: "out", ...(notice !== undefined && { notice }) });
}

/** Who is signed in already, or, with the code of a link, by it. */
export async function beginSession(code?: string): Promise<void> {
  if (code === undefined && localStorage.getItem(MARK) === null) return leave();
  session.set({ state: "loading" });
  try {
    enter(await (code === undefined ? api.session() : followLink(code)));
  } catch (error) {
    if (isRefused(error)) leave(code === undefined ? undefined : `The link did not work. ${textOf(error)}`);
    // The session, or the code, may be as good as before: a proxy, say, did not reach the server for a moment.
    else session.set({ state: "failed", error: textOf(error), again: () => beginSession(code) });
  }
}

/** To be called when another page of this browser has changed the storage: one that signed out did so for all. */
export function onStorageChange(key: string | null, value: string | null): void {
  if (key === MARK && value === null && session.get().state === "in") leave("You are signed out.");
}

/** A link that was followed before is no reason to send away the administrator whom it let in. */
async function followLink(code: string): Promise<SessionAnswer> {
  const isMarked = localStorage.getItem(MARK) !== null;
  const before = isMarked ? await api.session().catch(() => undefined) : undefined;
  return before?.role === "admin" ? before : api.signInByCode(code);
}

/** Rejects with an `ApiError` where the key is not admitted. */
export async function signIn(key: string): Promise<void> {
  enter(await api.signInByKey(key));
}

/** Rejects where the server could not be told: the session goes on. One that has ended already needs no telling. */
export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  leave("You are signed out.");
}

/** Whether the server said that nobody is signed in, or that this is no code. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 400);
}
