import type { Spread } from "./statistics.ts";

/** One line of the report. */
export interface Row {
  scenario: string;
  metric: string;
  unit: string;
  /** The median over the rounds of the target that is compared with. */
  base?: number | undefined;
  value: number;
  /** The ratio of `value` to `base`, round by round. */
  ratio?: Spread | undefined;
  /** The same ratio between two processes of the same code, which shows what the noise is. */
  same?: Spread;
  /** The load average of the machine when it was measured. */
  machineLoad?: number;
  goal?: Goal;
  note?: string;
}

export interface Goal {
  of: "value" | "ratio";
  atLeast?: number;
  atMost?: number;
}

export function isMet({ goal, value, ratio }: Row): boolean | undefined {
  if (!goal) return undefined;
  const given = goal.of === "ratio" ? (ratio?.median ?? Number.NaN) : value;
  return (
    given >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) && given <= (goal.atMost ?? Number.POSITIVE_INFINITY)
  );
}

const HEADS = [
  "scenario",
  "metric",
  "compared with",
  "value",
  "ratio",
  "p10–p90",
  "A/A",
  "load",
  "goal",
  "",
  "note",
];

/** Returns a table in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.scenario,
    `${row.metric}, ${row.unit}`,
    row.base === undefined ? "" : numberText(row.base),
    numberText(row.value),
    row.ratio ? row.ratio.median.toFixed(2) : "",
    row.ratio ? rangeText(row.ratio) : "",
    row.same ? `${row.same.median.toFixed(2)} (${rangeText(row.same)})` : "",
    row.machineLoad?.toFixed(1) ?? "",
    goalText(row.goal),
    { true: "met", false: "missed", undefined: "" }[String(isMet(row))] ?? "",
    row.note ?? "",
  ]);
  const rule = HEADS.map(() => "---");
  return [HEADS, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function rangeText({ p10, p90 }: Spread): string {
  return `${p10.toFixed(2)}–${p90.toFixed(2)}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function goalText(goal: Goal | undefined): string {
  if (!goal) return "";
  const of = goal.of === "ratio" ? "ratio " : "";
  const { atLeast, atMost = Number.NaN } = goal;
  return of + (atLeast === undefined ? `≤ ${numberText(atMost)}` : `≥ ${numberText(atLeast)}`);
}
