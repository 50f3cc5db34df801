import { FAILED, SKIPPED } from "../attempt.ts";
import type { Report } from "../report.ts";
import {
  figuresOf,
  goalText,
  isMet,
  markdownTable,
  metText,
  numberText,
  type Row,
  ratioText,
  spreadText,
} from "../rows.ts";

/** The lines of docs/performance.md between which the results are. */
export const BEGIN =
  "<!-- The results of the newest file in docs/bench, written by `bun run bench --draw` -->";
export const END = "<!-- The end of the results -->";

interface Group {
  title: string;
  about: string;
  includes(row: Row): boolean;
  /** The parts of the names that all rows of the group have in common, and need not be shown. */
  common?: RegExp;
  /** Whether only the highest of several levels is shown, and those that miss their goal. */
  isHighestOnly?: boolean;
}

const isOf = (row: Row, pattern: RegExp): boolean => pattern.test(row.scenario);

const isWithoutResult = ({ metric }: Row): boolean => metric === SKIPPED || metric === FAILED;

const GROUPS: readonly Group[] = [
  {
    title: "Asks",
    about: "Compared with the bare relay, with the same agents.",
    includes: (row) => isOf(row, /^asks\b/),
  },
  {
    title: "Chat completions and streams",
    about: "Compared with the bare relay, with the same v2 agents.",
    includes: (row) => isOf(row, /^(chat|64 streams|1 stream)\b/),
  },
  {
    title: "Through our own agent",
    about:
      "*Built-in* is the server with `--upstream`, *separate* the server with `chatgpt-api-server agent`; *direct* is the upstream without a program between.",
    includes: (row) =>
      isOf(row, /^bridge\b/) && (row.goal !== undefined || isOf(row, /32 callers.*(direct|: separate)$/)),
    common: /^bridge, /g,
  },
  {
    title: "Growth",
    about:
      "Chat completions by 32 callers beside idle agents and waiting requests, compared with 10 agents and no waiting requests. Only the highest level is shown, and what misses its goal.",
    includes: (row) => isOf(row, /^growth, chat\b/),
    isHighestOnly: true,
    common: /^growth, chat beside |, compared with \d+$/g,
  },
  {
    title: "Longest turns of the event loop",
    about:
      "Each start is another process, so the spread is also that between processes of the same code. Only the highest level is shown, and what misses its goal.",
    includes: (row) => isOf(row, /^growth, [\d,]+ agents\b/),
    isHighestOnly: true,
    common: /^growth, /g,
  },
  {
    title: "Events in the core alone",
    about:
      "Without sockets, compared with 10 agents and 200 waiting requests. Only the highest level is shown, and what misses its goal.",
    includes: (row) => isOf(row, /^core\b/),
    isHighestOnly: true,
    common: /^core, |, compared with .*$/g,
  },
  {
    title: "Memory under large loads",
    about: "The resident memory of each process.",
    includes: (row) => isOf(row, /^memory\b/),
  },
];

/** The rows that belong to no other group. */
const REST: Group = {
  title: "Everything else",
  about: "Compared with what the name of the scenario says.",
  includes: (row) =>
    !isOf(row, /^bridge\b/) && !isWithoutResult(row) && !GROUPS.some((group) => group.includes(row)),
};

const HEADS = ["scenario", "metric", "compared with", "value", "ratio", "p10–p90", "A/A", "goal", "", "load"];

/** Returns the results in Markdown: the goals that are missed, then a table for each group of scenarios. */
export function resultsOf(report: Report): string {
  const { rows } = report;
  const withGoal = rows.filter(({ goal }) => goal !== undefined);
  const missed = withGoal.filter((row) => isMet(row) === false);
  const skipped = rows.filter(isWithoutResult);
  const tables = [...GROUPS, REST].flatMap((group) => tableOf(group, rows));
  return [
    aboutRun(report),
    ...skipped.map(({ scenario, note }) => `Not measured: ${scenario}. ${note ?? ""}`),
    "### Missed goals",
    missed.length === 0
      ? `All ${withGoal.length} goals are met.`
      : `${withGoal.length - missed.length} of ${withGoal.length} goals are met. These are missed:`,
    ...(missed.length === 0 ? [] : [missedList(missed)]),
    ...tables,
  ].join("\n\n");
}

function aboutRun({ at, version, bun, processor, cores, peers, ...run }: Report): string {
  const { set, restarts, rounds, seconds, warmUpRequests, loadBefore, loadAfter } = run;
  const others = Object.entries(peers).map(([name, number]) => `, ${name} ${number}`);
  const load = (values: readonly number[]) => (values[0] ?? Number.NaN).toFixed(1);
  const isBusy = [...loadBefore.slice(0, 1), ...loadAfter.slice(0, 1)].some((value) => value > cores);
  return [
    `Measured on ${at.slice(0, 10)} with version ${version}, Bun ${bun}${others.join("")}, on ${cores} cores (${processor}):`,
    `the set \`${set}\`, ${rounds} rounds of ${seconds} s over ${restarts} starts, after ${warmUpRequests.toLocaleString("en")} requests.`,
    `The load average of the machine was ${load(loadBefore)} before the run and ${load(loadAfter)} after it.`,
    ...(isBusy ? ["**The machine was busy, so its rates and latencies say little.**"] : []),
  ].join("\n");
}

/** Returns a list that names only the highest of several levels that miss the same goal. */
function missedList(missed: readonly Row[]): string {
  const levels = Map.groupBy(missed, kindOf);
  const lines = [...levels.values()].flatMap((rows) => {
    const [row] = rows.slice(-1);
    const others = rows.length - 1;
    const more = others === 0 ? "" : ` It is also missed at ${others} lower level${others === 1 ? "" : "s"}.`;
    return row ? [missedText(row) + more] : [];
  });
  return lines.join("\n");
}

function missedText(row: Row): string {
  const { scenario, metric, unit, value, ratio, goal } = row;
  const given =
    goal?.of === "ratio" ? `a ratio of ${ratioText(ratio?.median ?? Number.NaN)}` : valueText(value, unit);
  const spread = spreadText(row);
  const limit = goalText(goal).replace("ratio ", "");
  return `- ${scenario}, ${metric}: ${given}${spread && ` (${spread})`}, and the goal is ${limit}.`;
}

const valueText = (value: number, unit: string) => `${numberText(value)} ${unit}`;

function tableOf(group: Group, all: readonly Row[]): string[] {
  const { title, about, includes, isHighestOnly = false, common = /^$/g } = group;
  const included = all.filter((row) => !isWithoutResult(row) && includes(row));
  const rows = isHighestOnly ? highest(included) : included;
  if (rows.length === 0) return [];
  // `sort` keeps the order of equal rows.
  const goalsFirst = [...rows].sort((a, b) => Number(b.goal !== undefined) - Number(a.goal !== undefined));
  const lines = goalsFirst.map((row) => [
    row.scenario.replaceAll(common, ""),
    ...figuresOf(row),
    goalText(row.goal),
    metText(row),
    row.machineLoad?.toFixed(1) ?? "",
  ]);
  return [`### ${title}`, about, markdownTable(HEADS, lines)];
}

/** Returns the rows of the highest level of each kind, and those that miss their goal. */
function highest(rows: readonly Row[]): Row[] {
  const last = new Map(rows.map((row) => [kindOf(row), row]));
  return rows.filter((row) => last.get(kindOf(row)) === row || isMet(row) === false);
}

/** Returns the name of a row without its numbers, which is the same for all levels. */
function kindOf({ scenario, metric }: Row): string {
  const isLevel = /^(growth|core)\b/.test(scenario);
  return `${isLevel ? scenario.replace(/\d[\d,]*/g, "#") : scenario} ${metric}`;
}

/** Returns the page with other results between the two lines. */
export function withResults(page: string, results: string): string {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const [, after] = rest?.split(`\n${END}`) ?? [];
  if (before === undefined || after === undefined) throw new Error("The page has no place for results.");
  return `${before}${BEGIN}\n\n${results}\n\n${END}${after}`;
}
