import { hash, hrefOf, readRoute } from "./route.ts";
import { useStore } from "./use-store.ts";

export interface AddressValues {
  /** Returns a value of the address; undefined if it is not there. */
  get(name: string): string | undefined;
  /** Puts values into the address, without another entry in the history. Undefined or "" removes one. */
  change(values: Readonly<Record<string, string | undefined>>): void;
}

/**
 * Keeps what was chosen on a page in its address: so Back and a reload show the same, and a link shows it to others. A
 * change draws the component again.
 */
export function useAddress(): AddressValues {
  const { query } = readRoute(useStore(hash));
  return {
    get: (name) => query.get(name) ?? undefined,
    change(values) {
      const { page, argument, query: before } = readRoute(hash.get());
      const next = Object.fromEntries(before);
      for (const [name, value] of Object.entries(values)) {
        if (value) next[name] = value;
        else delete next[name];
      }
      const href = hrefOf(page, argument, next);
      try {
        history.replaceState(null, "", href);
      } catch {
        // Some browsers refuse so many changes in a short time. The page still shows this one.
      }
      hash.set(href);
    },
  };
}

/** Goes to the address in place of the present one, so that Back leaves the page instead of a letter. */
export function replaceHref(href: string): void {
  location.replace(href);
}
