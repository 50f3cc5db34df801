import {
  NAMED_MAX,
  PROBLEMS_MAX,
  type Problem,
  type ProblemCode,
  type ProblemDetails,
} from "../protocol/node/problems.ts";
import { compareSeverity, idOf, worstOf } from "./finding.ts";

/** Many problems of one of these kinds are shown as one: "312 agents fail". */
const GROUPED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  ...(["agent_failing", "agent_missing", "requests_waiting", "model_missing", "users_limited"] as const),
]);
const SINGLE_MAX = 3;

/** One user at a limit is what the limit is for. */
const MANY_ARE_WORSE: ReadonlySet<ProblemCode> = new Set<ProblemCode>(["users_limited"]);

/**
 * Returns the problems of one node, or of several, in order: the worst first, then those that last for longest. Equal
 * ones of several nodes become one, and many of one kind become a group, whose subject is empty.
 */
export function mergeProblems(problems: readonly Problem[]): Problem[] {
  // The groups of nodes have one id, but other members.
  const keyOf = (problem: Problem, index: number) => (isGroup(problem) ? index : idOf(problem));
  const byId = [...Map.groupBy(problems, keyOf).values()].map(mergeEqual);
  const merged = [...Map.groupBy(byId, ({ code }) => code).values()].flatMap(groupOf);
  return merged
    .toSorted((a, b) => compareSeverity(a.severity, b.severity) || a.since - b.since)
    .slice(0, PROBLEMS_MAX);
}

/** Whether the problem stands for several of its kind. */
export const isGroup = ({ code, subject }: Pick<Problem, "code" | "subject">): boolean =>
  subject === "" && GROUPED.has(code);

function mergeEqual(equal: readonly Problem[]): Problem {
  const [first, ...others] = equal as [Problem, ...Problem[]];
  if (others.length === 0) return first;
  const worst = equal.find(({ severity }) => severity === worstOf(equal.map((each) => each.severity)));
  const counts = equal.flatMap(({ details }) => details.count ?? []);
  const count = counts.length > 0 && { count: counts.reduce((sum, value) => sum + value, 0) };
  return {
    ...(worst ?? first),
    ...sharedBy(equal),
    details: { ...first.details, ...sumOf(equal), ...count },
  };
}

function groupOf(problems: readonly Problem[]): Problem[] {
  const [first] = problems;
  if (!first || !GROUPED.has(first.code)) return [...problems];
  const count = problems.reduce((sum, each) => sum + weightOf(each), 0);
  if (count <= SINGLE_MAX && !problems.some(isGroup)) return [...problems];
  const oldest = problems.reduce((one, other) => (other.since < one.since ? other : one));
  const { reason } = oldest.details;
  const { severity, since } = sharedBy(problems);
  return [
    {
      ...{ code: first.code, subject: "", since },
      severity: severity === "info" && MANY_ARE_WORSE.has(first.code) ? "warning" : severity,
      details: { ...sumOf(problems), count, ...(reason !== undefined && { reason }) },
    },
  ];
}

/** Returns how many problems of its kind it stands for. */
export const weightOf = (problem: Problem): number => (isGroup(problem) ? (problem.details.count ?? 1) : 1);

function sharedBy(problems: readonly Problem[]): Pick<Problem, "severity" | "since"> {
  return {
    severity: worstOf(problems.map(({ severity }) => severity)),
    since: Math.min(...problems.map(({ since }) => since)),
  };
}

/** Returns what the problems have together: the names, and the sums of the numbers that can be added up. */
function sumOf(problems: readonly Problem[]): ProblemDetails {
  const all = problems.map(({ details }) => details);
  const names = {
    agents: uniqueBy(
      all.flatMap(({ agents = [] }) => agents),
      ({ id }) => id,
    ),
    models: uniqueBy(
      all.flatMap(({ models = [] }) => models),
      String,
    ),
    users: uniqueBy(
      all.flatMap(({ users = [] }) => users),
      ({ user_id }) => user_id,
    ),
    nodes: uniqueBy(
      all.flatMap(({ nodes = [] }) => nodes),
      String,
    ),
    refusals: uniqueBy(
      all.flatMap(({ refusals = [] }) => refusals),
      String,
    ),
  };
  const sums = Object.fromEntries(
    ADDED.flatMap((name) => {
      const values = all.flatMap((details) => details[name] ?? []);
      return values.length > 0 ? [[name, values.reduce((sum, value) => sum + value, 0)]] : [];
    }),
  );
  const waits = all.flatMap(({ wait_ms }) => wait_ms ?? []);
  const named = Object.fromEntries(Object.entries(names).filter(([, list]) => list.length > 0));
  return { ...named, ...sums, ...(waits.length > 0 && { wait_ms: Math.max(...waits) }) };
}

const ADDED = ["requests", "failed", "agents_failing", "agents_paused", "agents_full", "slots"] as const;

function uniqueBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()].slice(0, NAMED_MAX);
}
