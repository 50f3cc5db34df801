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
  async run(context) {
    const small = { scenario: "start, 100 users", users: 100 };
    const large = { scenario: "start, 10⁵ users", users: 100_000 };
    const again = { scenario: "start, 100 users, again", users: 100 };
    const kinds: { scenario: string; data: string; timesMs: number[] }[] = [];
    for (const { scenario, users } of [small, large, again]) {
      const data = await dataFor(context.workshop, `start-${users}`, { users });
      // The first start is not counted, as the pages of the file were just written.
      await firstAnswerMs(context, data);
      kinds.push({ scenario, data, timesMs: [] });
    }
    for (let start = 0; start < STARTS; start++) {
      for (const { data, timesMs } of kinds) timesMs.push(await firstAnswerMs(context, data));
    }
    return kinds.map(({ scenario, timesMs }) => rowOf(scenario, timesMs));
  },
};

function rowOf(scenario: string, timesMs: readonly number[]): Row {
  const { median, p10, p90 } = spreadOf(timesMs);
  return {
    scenario,
    metric: "start to first answer",
    unit: "ms",
    value: median,
    goal: { of: "value", atMost: 120 },
    note: `p10 ${p10.toFixed(0)}, p90 ${p90.toFixed(0)}, of ${timesMs.length} starts`,
  };
}
