/** A value that parts of the page watch. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after each change; gives what ends it. */
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
