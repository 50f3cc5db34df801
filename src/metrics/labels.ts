/** Replaces all values beyond the limit. */
export const OTHER = "other";

/**
 * Limits the values of a label, as each value is a time series of its own. The first `max` distinct values
 * are kept for good; every further one becomes `other`.
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

/** Calls `create` once for each combination of up to three labels. The caller must limit their values. */
export function memoizeByLabels<Series>(
  create: (...labels: string[]) => Series,
): (...labels: string[]) => Series {
  const known = new Map<string, Series>();
  return (first = "", second = "", third = "") => {
    const key = `${first}\n${second}\n${third}`;
    let series = known.get(key);
    if (!series) {
      series = create(first, second, third);
      known.set(key, series);
    }
    return series;
  };
}
