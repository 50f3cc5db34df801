import { loadavg } from "node:os";
import { dataFor } from "../data-folder.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { spreadOf } from "../statistics.ts";

const STARTS = 15;

async function firstAnswerMs({ workshop }: Context, data: string): Promise<number> {
  const target = await workshop.startOurs({ data });
  const response = await fetch(`http://127.0.0.1:${target.port}/health`);
  const elapsedMs = performance.now() - target.beganAt;
  if ((await response.text()) !== "OK") throw new Error("Wrong answer of /health.");
  await target.stop("SIGTERM");
  return elapsedMs;
}

export const START: Scenario = {
  name: "start",
  about: "from the start of the executable to its first answer, with an existing database",
  sets: ["goals"],
  async run(context) {
    const small = { scenario: "start, 100 users", users: 100 };
    const large = { scenario: "start, 10⁵ users", users: 100_000 };
    const again = { scenario: "start, 100 users, again", users: 100 };
    const kinds: Kind[] = [];
    for (const { scenario, users } of [small, large, again]) {
      const data = await dataFor(context.workshop, `start-${users}`, { users });
      // The first start is not counted, as the pages of the file were just written.
      await firstAnswerMs(context, data);
      kinds.push({ scenario, data, timesMs: [] });
    }
    for (let start = 0; start < STARTS; start++) {
      for (const { data, timesMs } of kinds) timesMs.push(await firstAnswerMs(context, data));
    }
    const [base] = kinds;
    return base ? kinds.slice(0, 2).map((kind) => rowOf(kind, base, kinds.at(-1) ?? base)) : [];
  },
};

interface Kind {
  scenario: string;
  data: string;
  timesMs: number[];
}

/** Returns a row whose A/A compares two folders with the same number of users. */
function rowOf({ scenario, timesMs }: Kind, base: Kind, again: Kind): Row {
  const ratios = again.timesMs.map((ms, index) => ms / (base.timesMs[index] ?? Number.NaN));
  const spread = spreadOf(timesMs);
  return {
    ...{ scenario, metric: "start to first answer", unit: "ms", value: spread.median, spread },
    ...{ same: spreadOf(ratios), machineLoad: loadavg()[0] ?? Number.NaN },
    goal: { of: "value", atMost: 120 },
    note: `of ${timesMs.length} starts`,
  };
}
