/*
 * `bun run chaos` runs the nodes of a cluster under load, with one fault after another, and checks what callers and
 * agents saw. See docs/cluster.md.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BalancerKind } from "../support/balancer-process.ts";
import { FAULTS, type FaultKind } from "./logs.ts";
import { reportOf } from "./report.ts";
import { type RunOptions, runChaos } from "./run.ts";
import { whatIsMissing } from "./services.ts";

const EXECUTABLE = join(import.meta.dir, "../../dist/chatgpt-api-server");
const MAIN = join(import.meta.dir, "../../src/main.ts");
const USAGE = `usage: bun run chaos [--minutes 5] [--nodes 3] [--callers 32] [--seed n] [--only kill,hang] [--balancer nginx]
         [--keep-logs]

The kinds of faults are ${Object.keys(FAULTS).join(", ")}. --nodes 1 runs a single server without NATS.
It uses the built executable if there is one, or else the sources.
`;

function fail(message: string): never {
  process.stderr.write(`chaos: ${message}\n\n${USAGE}`);
  process.exit(2);
}

const isBalancer = (name: string): name is BalancerKind => name === "nginx" || name === "haproxy";

function readOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "5" },
      nodes: { type: "string", default: "3" },
      callers: { type: "string", default: "32" },
      seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1_000_000)) },
      only: { type: "string" },
      balancer: { type: "string" },
      "keep-logs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const numberOf = (name: "minutes" | "nodes" | "callers" | "seed") => {
    const value = Number(values[name]);
    return value > 0 ? value : fail(`--${name} needs a number above 0.`);
  };
  const kinds = values.only?.split(",") as FaultKind[] | undefined;
  const unknown = kinds?.find((kind) => !(kind in FAULTS));
  if (unknown !== undefined) fail(`There is no kind of fault ${unknown}.`);
  const { balancer } = values;
  if (balancer !== undefined && !isBalancer(balancer)) fail("--balancer needs nginx or haproxy.");
  return {
    help: values.help,
    keepLogs: values["keep-logs"],
    run: {
      nodeCount: numberOf("nodes"),
      seconds: numberOf("minutes") * 60,
      callers: numberOf("callers"),
      seed: numberOf("seed"),
      ...{ kinds, balancer, isCluster: numberOf("nodes") > 1 },
      command: existsSync(EXECUTABLE) ? [EXECUTABLE] : [process.execPath, MAIN],
    } satisfies RunOptions,
  };
}

const { help, keepLogs, run } = readOptions();
if (help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const missing = whatIsMissing();
if (missing !== undefined) fail(`it cannot run: ${missing}.`);
process.stdout.write(`${run.nodeCount} nodes, seed ${run.seed}, ${run.command.join(" ")}\n`);
const result = await runChaos({
  ...run,
  onFault: ({ kind, from, until, nodes }, usableMs) => {
    const usable = usableMs === undefined ? "" : `, all slots used after ${usableMs} ms`;
    process.stdout.write(
      `${(from / 1000).toFixed(1)} s: ${kind} ${nodes.join(" ")} for ${until - from} ms${usable}\n`,
    );
  },
});
const { text, violations } = reportOf(result);
process.stdout.write(`\n${text}`);
const isKept = keepLogs || violations > 0;
if (isKept) process.stdout.write(`The logs of the nodes are in ${result.folders.join(", ")}.\n`);
await result.remove(isKept);
process.exit(violations > 0 ? 1 : 0);
