/** A value that parts of the page subscribe to. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** Calls `listen` after each change. Returns a function that ends the subscription. */
  subscribe(listen: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listen of [...listeners]) listen();
    },
    subscribe(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
}
