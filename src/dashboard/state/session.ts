import { api } from "../api/api.ts";
import { ApiError, errorText, onSessionEnd } from "../api/request.ts";
import type { SessionAnswer } from "../api/types.ts";
import { text } from "../texts/texts.ts";
import { createStore, type Store } from "./store.ts";

export type Session =
  | { state: "loading" }
  /** `notice` says why: the session ended, or the link did not work. */
  | { state: "out"; notice?: string }
  /** `ended` says that the session is over, though the page stays for who signs in again. */
  | { state: "in"; who: SessionAnswer; ended?: string }
  | { state: "failed"; error: string; retry(): Promise<void> };

export const session: Store<Session> = createStore<Session>({ state: "loading" });

/**
 * The `localStorage` key that marks that someone has signed in. Scripts cannot see the cookie, and asking for
 * a session without one would log an error in the browser's console on every visit.
 */
const SIGNED_IN_KEY = "chatgpt-api-server.session";

onSessionEnd(() => {
  const current = session.get();
  if (current.state === "in" && current.ended === undefined)
    session.set({ ...current, ended: text("session.ended") });
});

/** Shows the pages. Somebody else than before gets new ones, without anything of the former. */
function enter(who: SessionAnswer): void {
  const current = session.get();
  if (current.state === "in" && identityOf(current.who) !== identityOf(who)) session.set({ state: "out" });
  session.set({ state: "in", who });
}

/** Returns what tells those apart who sign in. */
export function identityOf({ role, user }: SessionAnswer): string {
  return `${role} ${user?.user_id ?? ""}`;
}

/** Notes a sign-in, of which the other tabs learn: the value differs each time. */
function noteSignIn(): void {
  localStorage.setItem(SIGNED_IN_KEY, String(Date.now()));
}

function leave(notice?: string): void {
  localStorage.removeItem(SIGNED_IN_KEY);
  session.set({ state: "out", ...(notice !== undefined && { notice }) });
}

/** Resumes the session, or signs in with the code of a link. */
export async function beginSession(code?: string): Promise<void> {
  if (code === undefined && localStorage.getItem(SIGNED_IN_KEY) === null) return leave();
  session.set({ state: "loading" });
  try {
    const who = await (code === undefined ? api.session() : followLink(code));
    if (code !== undefined) noteSignIn();
    enter(who);
  } catch (error) {
    if (isRefused(error))
      leave(code === undefined ? undefined : text("session.linkFailed", { error: errorText(error) }));
    // The session or the code may still be good: for example, a proxy could not reach the server for a
    // moment.
    else session.set({ state: "failed", error: errorText(error), retry: () => beginSession(code) });
  }
}

/** Reads again who is signed in, such as after a change of what the session tells. The page stays. */
export async function refreshSession(): Promise<void> {
  const who = await api.session();
  const current = session.get();
  if (current.state === "in" && identityOf(current.who) === identityOf(who)) session.set({ ...current, who });
}

/**
 * Handles a change that another tab made to the storage: signing out in one tab signs out all of them, and
 * signing in works alike.
 */
export function onStorageChange(key: string | null, value: string | null): void {
  if (key !== SIGNED_IN_KEY) return;
  const current = session.get();
  if (value === null && current.state === "in") leaveByChoice();
  if (value !== null && current.state === "out") void beginSession();
  if (value !== null && current.state === "in" && current.ended !== undefined) void resume();
}

/** Goes on with a session that another tab has begun. */
async function resume(): Promise<void> {
  const who = await api.session().catch(() => undefined);
  if (who) enter(who);
}

/** Keeps an administrator signed in who follows a used link again. */
async function followLink(code: string): Promise<SessionAnswer> {
  const hasSignedIn = localStorage.getItem(SIGNED_IN_KEY) !== null;
  const before = hasSignedIn ? await api.session().catch(() => undefined) : undefined;
  return before?.role === "admin" ? before : api.signInByCode(code);
}

/** Signs in with a key. Rejects with an `ApiError` if the key is not accepted. */
export async function signIn(key: string): Promise<void> {
  const who = await api.signInByKey(key);
  noteSignIn();
  enter(who);
}

/**
 * Signs out. Rejects if the server could not be reached, because the session then goes on. Accepts an ended
 * session.
 */
export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  leaveByChoice();
}

let forget: (who: SessionAnswer) => void = () => undefined;

/** Sets the function that is called when somebody has signed out, but not when only their session has ended. */
export function onSignOut(listener: (who: SessionAnswer) => void): void {
  forget = listener;
}

function leaveByChoice(): void {
  const current = session.get();
  leave(text("session.signedOut"));
  if (current.state === "in") forget(current.who);
}

/** Whether the server said that nobody is signed in, or that the code is invalid. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 400);
}
