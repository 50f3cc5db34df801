import { text } from "../../texts/texts.ts";

const NULL_MEANS_ALL: ReadonlySet<string> = new Set(["models", "agent_tags"]);

/** Returns the details of a change on one line: `name: Ann, max_parallel: 4`. */
export function detailText(detail: Record<string, unknown> | null): string {
  if (!detail) return "–";
  const parts = Object.entries(detail).map(([name, value]) =>
    value === null && NULL_MEANS_ALL.has(name)
      ? `${name}: ${text("audit.detail.all")}`
      : `${name}: ${valueText(value)}`,
  );
  return parts.join(", ") || "–";
}

/** Returns the name of what was changed, if the details have it. */
export function targetName(detail: Record<string, unknown> | null): string | undefined {
  const name = detail?.["name"];
  return typeof name === "string" && name !== "" ? name : undefined;
}

function valueText(value: unknown): string {
  if (value === null) return text("audit.detail.none");
  if (Array.isArray(value)) return value.map(valueText).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
