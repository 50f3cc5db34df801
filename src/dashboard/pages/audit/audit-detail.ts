const NULL_MEANS_ALL: ReadonlySet<string> = new Set(["models", "agent_tags"]);

/** Returns the details of a change on one line: `name: Ann, max_parallel: 4`. */
export function detailText(detail: Record<string, unknown> | null): string {
  if (!detail) return "–";
  const parts = Object.entries(detail).map(([name, value]) =>
    value === null && NULL_MEANS_ALL.has(name) ? `${name}: all` : `${name}: ${valueText(value)}`,
  );
  return parts.join(", ") || "–";
}

function valueText(value: unknown): string {
  if (value === null) return "none";
  if (Array.isArray(value)) return value.map(valueText).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
