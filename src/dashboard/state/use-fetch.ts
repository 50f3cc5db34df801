import { useCallback, useRef } from "hono/jsx/dom";
import { ApiError, errorText } from "../api/request.ts";
import { useEffect, useState } from "./hooks.ts";
import { session } from "./session.ts";

export interface FetchState<T> {
  /** The newest value. While it is being loaded again, the previous one. */
  value: T | undefined;
  /** Why the last attempt failed, as a text for people. */
  error: string | undefined;
  isLoading: boolean;
  /** Loads the value again. */
  reload(): void;
  /** Replaces the value, for example with the response of an action. */
  replace(value: T): void;
}

interface Loaded<T> extends Pick<FetchState<T>, "value" | "isLoading"> {
  failure: unknown;
}

/** The pauses before the first attempt to load again, the second, and so on. */
const RETRY_MS = [2_000, 4_000, 8_000, 15_000, 30_000];

/** Whether it is worth trying again: a server is restarted, or a network comes back. */
const isPassing = (failure: unknown) =>
  failure instanceof ApiError && (failure.status === 0 || failure.status >= 500);

/**
 * Returns what `load` resolves with, and calls it again whenever one of `keys` changes. A result is dropped
 * if it arrives after the component was removed, or after a newer call. If the server could not be reached or was
 * faulty, it is called again after a while, and when a new session has begun.
 */
export function useFetch<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): FetchState<T> {
  const [state, setState] = useState<Loaded<T>>({ value: undefined, failure: undefined, isLoading: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    latest.current?.(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, failure: undefined, isLoading: false });
      },
      (failure: unknown) => {
        if (!abort.signal.aborted) setState((before) => ({ ...before, failure, isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [turn, ...keys]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const replace = useCallback((value: T) => setState({ value, failure: undefined, isLoading: false }), []);
  const { value, failure, isLoading } = state;
  useRetry(failure, reload);
  const error = failure === undefined ? undefined : errorText(failure);
  return { value, error, isLoading, reload, replace };
}

/** Calls `retry` after a failure that may pass, less often each time, and once somebody has signed in again. */
function useRetry(failure: unknown, retry: () => void): void {
  const attempts = useRef(0);
  useEffect(() => {
    if (failure === undefined) attempts.current = 0;
    if (!isPassing(failure)) return undefined;
    const attempt = attempts.current ?? 0;
    attempts.current = attempt + 1;
    const timer = setTimeout(retry, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    return () => clearTimeout(timer);
  }, [failure]);
  useEffect(() => {
    if (failure === undefined) return undefined;
    return session.subscribe(() => {
      const current = session.get();
      if (current.state === "in" && current.ended === undefined) retry();
    });
  }, [failure]);
}
