import { useCallback, useLayoutEffect, useRef, useState as useUnguardedState } from "hono/jsx/dom";

/*
 * Hono runs the callbacks of `useEffect` in a later frame, also those of components that are gone by then, and draws a
 * removed component again after its second update. Components use these hooks instead: no effect begins and no state
 * changes once the component is gone.
 */

/**
 * Calls `effect` after the elements are in the page, whether or not the browser draws a frame, and again when one of
 * `deps` has changed. What it returns is called before the next call and when the component is removed.
 */
export function useEffect(
  // biome-ignore lint/suspicious/noConfusingVoidType: most effects return nothing.
  effect: () => void | (() => void),
  deps: readonly unknown[],
): void {
  useLayoutEffect(() => {
    let isOver = false;
    let end: (() => void) | undefined;
    // The element of a component that is drawn for the first time is put into the page only after this callback.
    queueMicrotask(() => {
      if (!isOver) end = effect() ?? undefined;
    });
    return () => {
      isOver = true;
      end?.();
    };
  }, deps);
}

/** Returns a value, and a function that changes it for as long as the component is in the page. */
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void] {
  const [value, set] = useUnguardedState<T>(initial);
  const isGone = useRef(false);
  useLayoutEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
    };
  }, []);
  const change = useCallback((next: T | ((before: T) => T)) => {
    if (!isGone.current) set(next);
  }, []);
  return [value, change];
}
