/** The schema library leaves this key out of what it reads, without a word. */
export const LOST_KEY = "__proto__";

/**
 * Returns the keys that lead to the first `__proto__` in a value of JSON; undefined if there is none. A name that people
 * choose must be refused rather than lost.
 */
export function lostKeyPath(value: unknown): string[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const path = key === LOST_KEY ? [] : lostKeyPath(inner);
    if (path) return [key, ...path];
  }
  return undefined;
}
