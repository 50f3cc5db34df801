import type { Spread } from "./statistics.ts";

/** One line of the report. */
export interface Row {
  scenario: string;
  metric: string;
  unit: string;
  /** The median over the rounds of the target that is compared with. */
  base?: number | undefined;
  value: number;
  /** How `value` itself differs from start to start. */
  spread?: Spread | undefined;
  /** The ratio of `value` to `base`, round by round. */
  ratio?: Spread | undefined;
  /** The same ratio between two processes of the same code, which shows what the noise is. */
  same?: Spread | undefined;
  /** The load average of the machine when it was measured. */
  machineLoad?: number | undefined;
  goal?: Goal | undefined;
  note?: string | undefined;
}

export interface Goal {
  of: "value" | "ratio";
  atLeast?: number | undefined;
  atMost?: number | undefined;
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

/** Returns what was measured, as the cells of a table. */
export const figuresOf = (row: Row): string[] => [
  `${row.metric}, ${row.unit}`,
  baseText(row),
  numberText(row.value),
  row.ratio ? ratioText(row.ratio.median) : "",
  spreadText(row),
  sameText(row),
];

/** Returns a table in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  return markdownTable(
    HEADS,
    rows.map((row) => [
      row.scenario,
      ...figuresOf(row),
      row.machineLoad?.toFixed(1) ?? "",
      goalText(row.goal),
      metText(row),
      row.note ?? "",
    ]),
  );
}

export function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = heads.map(() => "---");
  return [heads, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function baseText({ base }: Row): string {
  return base === undefined ? "" : numberText(base);
}

/** Returns the spread of the ratio, or of the value itself if that is what counts. */
export function spreadText({ ratio, spread, goal }: Row): string {
  if (ratio && !(spread && goal?.of === "value")) return rangeText(ratio);
  return spread ? `${numberText(spread.p10)}–${numberText(spread.p90)}` : "";
}

/** Returns the ratio between two processes of the same code. */
export function sameText({ same }: Row): string {
  return same ? `${ratioText(same.median)} (${rangeText(same)})` : "";
}

export function metText(row: Row): string {
  return { true: "met", false: "missed", undefined: "" }[String(isMet(row))] ?? "";
}

function rangeText({ p10, p90 }: Spread): string {
  return `${ratioText(p10)}–${ratioText(p90)}`;
}

/** Returns a question mark for what is compared with nothing, or with 0. */
export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "?";
}

export function numberText(value: number): string {
  if (Number.isNaN(value)) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export function goalText(goal: Goal | undefined): string {
  if (!goal) return "";
  const of = goal.of === "ratio" ? "ratio " : "";
  const { atLeast, atMost = Number.NaN } = goal;
  return of + (atLeast === undefined ? `≤ ${numberText(atMost)}` : `≥ ${numberText(atLeast)}`);
}
