import { useCallback, useRef } from "hono/jsx/dom";
import { errorText } from "../api/request.ts";
import { useEffect, useState } from "./hooks.ts";

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

/**
 * Returns what `load` resolves with, and calls it again whenever one of `keys` changes. A result is dropped
 * if it arrives after the component was removed, or after a newer call.
 */
export function useFetch<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): FetchState<T> {
  const [state, setState] = useState<Pick<FetchState<T>, "value" | "error" | "isLoading">>({
    value: undefined,
    error: undefined,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    latest.current?.(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted)
          setState((before) => ({ ...before, error: errorText(error), isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [turn, ...keys]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const replace = useCallback((value: T) => setState({ value, error: undefined, isLoading: false }), []);
  return { ...state, reload, replace };
}
