import { useCallback, useEffect, useRef, useState } from "hono/jsx/dom";
import { textOf } from "../api/request.ts";

export interface Answer<T> {
  /** The newest one; that of before while it is asked for again. */
  value: T | undefined;
  /** Why the last try failed, in a text for people. */
  error: string | undefined;
  isLoading: boolean;
  /** Asks again. */
  reload(): void;
  /** Puts what an action answered in place of it. */
  replace(value: T): void;
}

/**
 * What `ask` resolves with, asked again whenever one of `keys` changes. An answer that comes after its component left,
 * or after a newer one was asked for, is dropped.
 */
export function useFetch<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Answer<T> {
  const [state, setState] = useState<Pick<Answer<T>, "value" | "error" | "isLoading">>({
    value: undefined,
    error: undefined,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    latest.current?.(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted)
          setState((before) => ({ ...before, error: textOf(error), isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [turn, ...keys]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const replace = useCallback((value: T) => setState({ value, error: undefined, isLoading: false }), []);
  return { ...state, reload, replace };
}
