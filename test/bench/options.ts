import { parseArgs } from "node:util";
import { type Context, type Scenario, SETS, type SetName } from "./scenario.ts";

/** The numbers of a run, which flags can change. */
type Numbers = Pick<
  Context,
  "restarts" | "rounds" | "seconds" | "warmUpSeconds" | "warmUpRequests" | "idleAgents"
>;

/** The runtime's last compiler has seen all code of a request after this many requests, and hardly before. */
const WARM_UP_REQUESTS = 20_000;
const COMMON = { restarts: 3, warmUpRequests: WARM_UP_REQUESTS };

const NUMBERS: Readonly<Record<SetName, Numbers>> = {
  quick: { ...COMMON, rounds: 3, seconds: 0.5, warmUpSeconds: 4, idleAgents: 1_000 },
  goals: { ...COMMON, rounds: 9, seconds: 0.7, warmUpSeconds: 6, idleAgents: 10_000 },
  full: { ...COMMON, rounds: 9, seconds: 1, warmUpSeconds: 10, idleAgents: 10_000 },
};

export interface Options extends Numbers {
  set: SetName;
  scenarios: Scenario[];
  /** The file to which the results are written, if any. */
  json: string | undefined;
  /** Whether the results are added to those that are kept, of which the picture and the tables are made. */
  keep: boolean;
  draw: boolean;
  help: boolean;
}

const USAGE = `usage: bun run bench [--goals | --full | --only name,name] [--json <file>] [--keep]
         [--restarts 3] [--rounds 3] [--seconds 0.5] [--warm-up 4] [--idle-agents 1000]
       bun run bench --draw

Without a flag, the scenarios with a star run for a few minutes. With --goals, those with a g run, which have a goal
for their speed; with --full, all of them. docs/performance.md says how long each takes. --warm-up is the most seconds
for which a process is warmed up.

--json writes the results to a file. --keep adds them to docs/bench and then does what --draw does: it draws
docs/bench/results.svg from the files there, and writes the results of the newest one into docs/performance.md.
`;

/** Returns the text of `--help`. */
export function usageOf(scenarios: readonly Scenario[]): string {
  const lines = scenarios.map(({ name, about, sets }) => {
    const marks = `${sets.includes("quick") ? "*" : " "}${sets.includes("goals") ? "g" : " "}`;
    return `${marks} ${name.padEnd(15)}${about}`;
  });
  return `${USAGE}\n${lines.join("\n")}\n`;
}

/** Reads the command line. Throws an error with a message for people. */
export function readOptions(args: readonly string[], all: readonly Scenario[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      goals: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      json: { type: "string" },
      keep: { type: "boolean", default: false },
      draw: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      restarts: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      "idle-agents": { type: "string" },
    },
  });
  const { only, goals, full, json, keep, draw, help } = values;
  const set = SETS.find((name) => ({ quick: false, goals, full })[name]) ?? "quick";
  const names = only?.split(",");
  const unknown = names?.find((name) => !all.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`The scenario ${unknown} does not exist.`);
  // The page is made from the newest results, so they must be of more than a few scenarios.
  if (keep && only !== undefined) throw new Error("--keep needs a whole set of scenarios. Leave out --only.");
  const ofSet = NUMBERS[set];
  const restarts = Math.ceil(positive(values, "restarts", ofSet.restarts));
  return {
    ...{ set, json, keep, draw, help, restarts },
    scenarios: all.filter(({ name, sets }) => names?.includes(name) ?? isIn(sets, set)),
    rounds: Math.ceil(Math.max(positive(values, "rounds", ofSet.rounds), restarts)),
    seconds: positive(values, "seconds", ofSet.seconds),
    warmUpSeconds: positive(values, "warm-up", ofSet.warmUpSeconds),
    warmUpRequests: ofSet.warmUpRequests,
    idleAgents: Math.ceil(positive(values, "idle-agents", ofSet.idleAgents)),
  };
}

function isIn(sets: Scenario["sets"], set: SetName): boolean {
  return set === "full" || sets.includes(set);
}

function positive(
  values: Readonly<Record<string, string | boolean | undefined>>,
  name: string,
  fallback: number,
): number {
  const value = Number(values[name] ?? fallback);
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`--${name} needs a number above 0.`);
  return value;
}
