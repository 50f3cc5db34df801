/*
 * `bun run smooth` measures the dashboard on a large server: the longest tasks of each page, what open pages cost the
 * server, and the first load over a slow network.
 */
import { parseArgs } from "node:util";
import { markdownTable } from "../bench/rows.ts";
import { findProgram } from "../support/programs.ts";
import { measureCost } from "./cost.ts";
import { measureLoads, SLOW_3G } from "./network.ts";
import { openScene } from "./scene.ts";
import { measureTasks, PAGES } from "./tasks.ts";

const USAGE = `usage: bun run smooth [tasks] [cost] [network] [--agents 1000] [--rows 1000000] [--pages Requests,Agents]
                     [--throttling 1] [--per-second 5] [--seconds 20] [--rounds 5]

tasks      the longest tasks of the main thread of each page, while it is used
cost       the CPU time of the server for each open page
network    the first load over slow 3G
Without arguments: all. It needs Chromium, and the executable: run bun run build first.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    agents: { type: "string", default: "1000" },
    rows: { type: "string", default: "1000000" },
    pages: { type: "string", default: PAGES.join(",") },
    throttling: { type: "string", default: "1" },
    "per-second": { type: "string", default: "5" },
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "5" },
    help: { type: "boolean", default: false },
  },
});
const chromium = findProgram("chromium");
if (values.help || chromium === undefined) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 1);
}
const wants = (part: string) => positionals.length === 0 || positionals.includes(part);
const print = (text: string) => process.stdout.write(`${text}\n\n`);
const pages = values.pages.split(",");
const perSecond = Number(values["per-second"]);

await using scene = await openScene({ agents: Number(values.agents), rows: Number(values.rows) }, chromium);

if (wants("network")) {
  const loads = await measureLoads(scene);
  print(
    `The first load at ${(SLOW_3G.bytesPerSecond * 8) / 1_000} kbit/s, ${SLOW_3G.latencyMs} ms each way and back:`,
  );
  print(
    markdownTable(
      ["until", "s", "requests", "kB"],
      loads.map(({ until, ms, requests, bytes }) => [
        until,
        (ms / 1_000).toFixed(2),
        `${requests}`,
        (bytes / 1_000).toFixed(1),
      ]),
    ),
  );
}

if (wants("tasks")) {
  const tasks = await measureTasks(scene, { pages, throttling: Number(values.throttling), perSecond });
  print(
    markdownTable(
      ["page", "over 50 ms", "over 100 ms", "longest, ms", "during"],
      tasks.map(({ page, over50, over100, longestMs, during }) => [
        page,
        `${over50}`,
        `${over100}`,
        longestMs.toFixed(0),
        during,
      ]),
    ),
  );
}

if (wants("cost")) {
  const costs = await measureCost(scene, {
    ...{ pages, perSecond, seconds: Number(values.seconds), rounds: Number(values.rounds) },
  });
  const ms = (micros: number) => (micros / 1_000).toFixed(2);
  print(`The CPU time of the server in a second, at ${perSecond} requests per s:`);
  print(
    markdownTable(
      ["open page", "without, ms", "added, ms", "least–most", "of one core", "bytes per s"],
      costs.map(({ what, baseMicrosPerSecond, addedMicrosPerSecond, range, bytesPerSecond }) => [
        ...[what, ms(baseMicrosPerSecond), ms(addedMicrosPerSecond), range.map(ms).join("–")],
        `${(addedMicrosPerSecond / 10_000).toFixed(2)}%`,
        bytesPerSecond.toFixed(0),
      ]),
    ),
  );
}
