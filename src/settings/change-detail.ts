/** A longer value is cut off in the audit, whose rows are kept for years. */
const LENGTH_MAX = 2_000;

/** Describes the change of a setting for the audit. `reset`: its default counts again. */
export function changeDetail(from: unknown, to: unknown, isReset: boolean) {
  return { from: shortened(from), to: shortened(to), ...(isReset && { reset: true }) };
}

function shortened(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX).toWellFormed()}…` : value;
}
