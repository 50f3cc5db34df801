import { type BalancerKind, startBalancer } from "../support/balancer-process.ts";
import { freePort } from "../support/own-postgres.ts";
import { createRandom, type Random } from "../support/random.ts";
import { Agents } from "./agents.ts";
import { type Balancer, OwnBalancer, throughProcess } from "./balancer.ts";
import { Callers } from "./callers.ts";
import { type FaultScene, faultKinds, makeFault } from "./faults.ts";
import { findLeftovers, type OpenFiles, openFilesOf } from "./leftovers.ts";
import type { FaultEntry, FaultKind, Logs } from "./logs.ts";
import { ADMIN_KEY, NodeProcess } from "./node-process.ts";
import { type Services, startServices } from "./services.ts";

export interface RunOptions {
  nodeCount: number;
  seconds: number;
  seed: number;
  callers: number;
  /** All that are possible, if left out. */
  kinds?: readonly FaultKind[] | undefined;
  /** The executable with its first arguments. */
  command: readonly string[];
  /** Whether the nodes form a cluster. Without it there must be one node. */
  isCluster: boolean;
  /** The load balancer, if not one of the run's own. It must be in front of three nodes. */
  balancer?: BalancerKind | undefined;
  /** Called with each fault once it is over. */
  onFault?: (fault: FaultEntry, usableAfterMs: number | undefined) => void;
}

export interface RunResult {
  logs: Logs;
  /** For each kill, the time until nearly all slots were used again; undefined if that was not reached. */
  usableAfterMs: (number | undefined)[];
  /** The folders of the nodes' logs. */
  folders: string[];
  /** Stops everything that still runs. */
  remove(keepLogs: boolean): Promise<void>;
}

/** The time between two faults, so that each shows its own effects. */
const QUIET_MS = 9_000;
const WARM_UP_MS = 3_000;
const USABLE_WITHIN_MS = 15_000;
const USERS = 4;

const FLAGS = ["--v1-model", "m", "--lame-duck", "2s", "--drain", "30s", "--log", "json"];

/** Runs nodes, agents and callers with one fault after another, and returns what happened. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const names = Array.from({ length: options.nodeCount }, (_, index) => `node-${index + 1}`);
  const services = await startServices(names);
  const nodes: NodeProcess[] = [];
  const remove = async (keepLogs: boolean) => {
    await Promise.all(nodes.map((node) => node.remove(keepLogs)));
    await services.remove();
  };
  try {
    nodes.push(...(await createNodes(names, services, options)));
    // The first one makes the tables.
    for (const node of nodes) await node.start();
    const { logs, usableAfterMs } = await play(nodes, services, options);
    return { logs, usableAfterMs, folders: nodes.map(({ folder }) => folder), remove };
  } catch (error) {
    await remove(true);
    throw error;
  }
}

function createNodes(names: readonly string[], services: Services, options: RunOptions) {
  const clusterName = `chaos-${process.pid}-${options.seed}`;
  return Promise.all(
    names.map(async (name) => {
      const nats = `nats://127.0.0.1:${services.proxies.get(name)?.port}`;
      return new NodeProcess({
        ...{ name, port: await freePort(), command: options.command, flags: FLAGS, clusterName },
        ...{ database: services.database, nats: options.isCluster ? nats : undefined },
      });
    }),
  );
}

async function play(
  nodes: readonly NodeProcess[],
  services: Services,
  options: RunOptions,
): Promise<Pick<RunResult, "logs" | "usableAfterMs">> {
  // What chance decides in agents and callers must not change the order of the faults.
  const [random, faultsRandom] = [createRandom(options.seed + 1), createRandom(options.seed)];
  const startedAt = performance.now();
  const now = () => Math.round(performance.now() - startedAt);
  const files = await openFilesOf(nodes);
  const tokens = await addUsers(nodes);
  const balancer = await balancerOf(nodes, options);
  const agents = new Agents({ balancer, random, now });
  while (agents.slotsRegistered < agents.slots) await Bun.sleep(20);
  const callers = new Callers({ count: options.callers, tokens, balancer, random, now });
  const scene: FaultScene = { nodes, services, agents, random: faultsRandom, now };
  let made: MadeFaults;
  try {
    made = await makeFaults(scene, options);
  } finally {
    await callers.stop();
    await agents.stop();
    await balancer.stop();
  }
  const before: OpenFiles = new Map([...files].filter(([node]) => !made.restarted.has(node)));
  const leftovers = await findLeftovers(nodes, before);
  const logs: Logs = {
    nodes: nodes.map(({ name }) => name),
    ...{ callers: callers.log, agents: agents.log, faults: made.faults, leftovers },
  };
  return { logs, usableAfterMs: made.usableAfterMs };
}

async function balancerOf(nodes: readonly NodeProcess[], { balancer }: RunOptions): Promise<Balancer> {
  if (balancer === undefined) return new OwnBalancer(nodes);
  const ports = nodes.map(({ url }) => Number(new URL(url).port));
  return throughProcess(balancer, await startBalancer(balancer, ports));
}

interface MadeFaults extends Pick<RunResult, "usableAfterMs"> {
  faults: FaultEntry[];
  /** The nodes that are other processes than before. */
  restarted: Set<string>;
}

/** Makes one fault after another until the time is over. */
async function makeFaults(scene: FaultScene, options: RunOptions): Promise<MadeFaults> {
  const made: MadeFaults = { faults: [], usableAfterMs: [], restarted: new Set() };
  await Bun.sleep(WARM_UP_MS);
  for (const kind of faultsInTurn(options, scene.random)) {
    if (scene.now() > options.seconds * 1_000) break;
    const node = scene.random.pick(scene.nodes);
    if (kind === "kill" || kind === "upgrade") made.restarted.add(node.name);
    const usable = kind === "kill" ? timeUntilUsable(scene, node) : Promise.resolve(undefined);
    const fault = await makeFault(kind, scene, node);
    const usableMs = await usable;
    made.faults.push(fault);
    if (kind === "kill") made.usableAfterMs.push(usableMs);
    options.onFault?.(fault, usableMs);
    await Bun.sleep(QUIET_MS);
  }
  return made;
}

/** Returns all kinds in a random order, and then in another one, and so on. */
function* faultsInTurn({ nodeCount, kinds }: RunOptions, random: Random): Generator<FaultKind> {
  for (;;) {
    const left = [...(kinds ?? faultKinds(nodeCount))];
    while (left.length > 0) yield* left.splice(random.below(left.length), 1);
  }
}

/** Resolves with the time from now until the slots of all agents are connected and nearly all are used. */
async function timeUntilUsable({ agents, now }: FaultScene, node: NodeProcess): Promise<number | undefined> {
  const from = now();
  await node.exited();
  // The agents of the node notice its end at once, and have not registered anew yet.
  await Bun.sleep(50);
  while (now() - from < USABLE_WITHIN_MS) {
    const isUsable = agents.slotsRegistered === agents.slots && agents.slotsBusy >= agents.slots - 2;
    if (isUsable) return now() - from;
    await Bun.sleep(20);
  }
  return undefined;
}

async function addUsers([node]: readonly NodeProcess[]): Promise<string[]> {
  const tokens: string[] = [];
  for (let left = USERS; left > 0; left--) {
    const response = await fetch(`${node?.url}/admin/users/add`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
      body: "{}",
    });
    tokens.push(((await response.json()) as { token: string }).token);
  }
  return tokens;
}
