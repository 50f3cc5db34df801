import { printable } from "../../../printable.ts";
import { isRecord } from "../../api/request.ts";
import { text } from "../../texts/texts.ts";

const NULL_MEANS_ALL: ReadonlySet<string> = new Set(["models", "agent_tags"]);

/** Returns the details of a change on one line: `name: Ann, max_parallel: 4`, or `queueMax: 1000 → 9`. */
export function detailText(detail: Record<string, unknown> | null): string {
  if (!detail) return "–";
  const parts = Object.entries(detail).map(([name, value]) => {
    if (value === null && NULL_MEANS_ALL.has(name)) return `${name}: ${text("audit.detail.all")}`;
    return isSettingChange(value) ? settingText(name, value) : `${name}: ${valueText(value)}`;
  });
  return printable(parts.join(", ")) || "–";
}

interface SettingChange {
  from: unknown;
  to: unknown;
  reset?: unknown;
}

const isSettingChange = (value: unknown): value is SettingChange =>
  isRecord(value) && "from" in value && "to" in value;

/** Describes the change of a setting. Of an object, such as the aliases, only the entries that have changed are named. */
function settingText(name: string, { from, to, reset }: SettingChange): string {
  const end = reset === true ? ` (${text("audit.detail.reset")})` : "";
  if (!isRecord(from) || !isRecord(to)) return `${name}: ${valueText(from)} → ${valueText(to)}${end}`;
  const changed = [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => {
    const [before, after] = [valueText(from[key] ?? null), valueText(to[key] ?? null)];
    return before === after ? [] : `${key}: ${before} → ${after}`;
  });
  // Secrets are masked, so another one looks the same.
  return `${name} (${changed.join(", ") || text("audit.detail.changed")})${end}`;
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
