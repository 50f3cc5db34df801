import { api } from "../../../api/api.ts";
import { errorText } from "../../../api/request.ts";
import { useEffect, useState } from "../../../state/hooks.ts";
import { findPairingState, type PairingState } from "./pairing-state.ts";
import { secondsUntil } from "./pairing-text.ts";

const POLL_MS = 2_000;
const TICK_MS = 250;

interface Watched {
  found: PairingState;
  /** Why it could not be looked up the last time. */
  error: string | undefined;
}

/** Returns what has become of a pairing code, looked up every two seconds while it is open and the page is visible. */
export function usePairing(id: string): Watched & { lookUp: () => Promise<void> } {
  const [watched, setWatched] = useState<Watched>({ found: { state: "open" }, error: undefined });
  const lookUp = async (signal?: AbortSignal) => {
    try {
      const lists = { pairings: () => api.pairings(signal), agentKeys: () => api.agentKeys(signal) };
      const found = await findPairingState(id, lists);
      if (!signal?.aborted) setWatched({ found, error: undefined });
    } catch (error) {
      if (!signal?.aborted) setWatched((before) => ({ ...before, error: errorText(error) }));
    }
  };
  const isOpen = watched.found.state === "open";
  useEffect(() => {
    if (!isOpen) return undefined;
    const abort = new AbortController();
    let isBusy = false;
    const timer = setInterval(() => {
      if (isBusy || document.hidden) return;
      isBusy = true;
      void lookUp(abort.signal).finally(() => {
        isBusy = false;
      });
    }, POLL_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [id, isOpen]);
  return { ...watched, lookUp: () => lookUp() };
}

/** Returns how many seconds are left until a time of `performance.now()`. */
export function useSecondsLeft(endMs: number): number {
  const [left, setLeft] = useState(() => secondsUntil(endMs, performance.now()));
  useEffect(() => {
    const timer = setInterval(() => setLeft(secondsUntil(endMs, performance.now())), TICK_MS);
    return () => clearInterval(timer);
  }, [endMs]);
  return left;
}
