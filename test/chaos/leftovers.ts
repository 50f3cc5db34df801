import type { Leftover } from "./logs.ts";
import { readExposition } from "./metrics-text.ts";
import { ADMIN_KEY, type NodeProcess } from "./node-process.ts";

/** How many files and sockets each node had open before the run, by its name. */
export type OpenFiles = ReadonlyMap<string, number>;

const WITHIN_MS = 10_000;
/** Connections to the database and to NATS come and go. */
const FILES_SPARE = 12;

/** The fields of the log line `stopped` that must be 0. */
const STOPPED = ["agents", "asks_waiting", "asks_running", "slots_in_use", "timers"];
/** The metrics that must be 0 once the callers and agents have gone. */
const METRICS = /^chatgpt_api_(agents|slots_in_use|queue_length|asks_running|tickets|leases)\b/;

export async function openFilesOf(nodes: readonly NodeProcess[]): Promise<OpenFiles> {
  return new Map(await Promise.all(nodes.map(async (node) => [node.name, await node.openFiles()] as const)));
}

/** Waits until nothing is left at any node, 10 s at most, stops them all, and returns what is left then. */
export async function findLeftovers(nodes: readonly NodeProcess[], before: OpenFiles): Promise<Leftover[]> {
  const limit = performance.now() + WITHIN_MS;
  const look = async () => (await Promise.all(nodes.map((node) => lookAt(node, before)))).flat();
  let running = await look();
  while (running.length > 0 && performance.now() < limit) {
    await Bun.sleep(250);
    running = await look();
  }
  for (const node of nodes) node.signal("SIGTERM");
  const stopped = await Promise.all(nodes.map(lookAtEnd));
  return [...running, ...stopped.flat()];
}

async function lookAt(node: NodeProcess, before: OpenFiles): Promise<Leftover[]> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const response = await fetch(`${node.url}/metrics`, { headers, keepalive: false });
  const samples = readExposition(await response.text());
  const left = samples.filter(({ name, value }) => METRICS.test(name) && value !== 0);
  const leftovers = left.map(({ name, value }) => ({ node: node.name, what: name, count: value }));
  const files = await node.openFiles();
  const allowed = (before.get(node.name) ?? Number.POSITIVE_INFINITY) + FILES_SPARE;
  return files > allowed
    ? [...leftovers, { node: node.name, what: "open files", count: files - allowed }]
    : leftovers;
}

async function lookAtEnd(node: NodeProcess): Promise<Leftover[]> {
  const code = await node.exited();
  const ofNode = (what: string, count: number): Leftover => ({ node: node.name, what, count });
  if (code !== 0) return [ofNode("exit code", code ?? -1)];
  const line = node.log().match(/^.*"event":"stopped".*$/m)?.[0];
  if (line === undefined) return [ofNode("log lines `stopped` missing", 1)];
  const stats = JSON.parse(line) as Record<string, number>;
  return STOPPED.flatMap((what) => (stats[what] ? ofNode(`${what} in the line stopped`, stats[what]) : []));
}
