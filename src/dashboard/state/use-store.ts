import { useLayoutEffect } from "hono/jsx/dom";
import { useState } from "./hooks.ts";
import type { Store } from "./store.ts";

/** Returns the store's value, and renders the component again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, setTurn] = useState(0);
  const value = store.get();
  useLayoutEffect(() => {
    const draw = () => setTurn((turn) => turn + 1);
    const end = store.subscribe(draw);
    if (!Object.is(value, store.get())) draw();
    return end;
  }, [store]);
  return value;
}
