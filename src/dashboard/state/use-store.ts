import { useSyncExternalStore } from "hono/jsx/dom";
import type { Store } from "./store.ts";

/** Returns the store's value, and renders the component again when it changes. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
