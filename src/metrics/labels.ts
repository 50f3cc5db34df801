/** What stands for all values that come too late. */
export const OTHER = "other";

/**
 * Keeps the number of a label's values bounded, as each is a time series of its own: the first `max` distinct
 * values are kept as they are, for good; every further one is `other`.
 */
export function createBoundedLabel(max: number): (value: string) => string {
  const kept = new Set<string>();
  return (value) => {
    if (kept.has(value)) return value;
    if (kept.size >= max) return OTHER;
    kept.add(value);
    return value;
  };
}

/** Makes what `create` makes for up to three labels once, and gives it again after. Their values must be bounded by their maker. */
export function createChildren<Child>(
  create: (...labels: string[]) => Child,
): (...labels: string[]) => Child {
  const children = new Map<string, Child>();
  return (first = "", second = "", third = "") => {
    const key = `${first}\n${second}\n${third}`;
    let child = children.get(key);
    if (!child) {
      child = create(first, second, third);
      children.set(key, child);
    }
    return child;
  };
}
