import type { Random } from "../support/random.ts";
import type { Agents } from "./agents.ts";
import type { FaultEntry, FaultKind } from "./logs.ts";
import type { NodeProcess } from "./node-process.ts";
import type { Services } from "./services.ts";

export interface FaultScene {
  nodes: readonly NodeProcess[];
  services: Services;
  agents: Agents;
  random: Random;
  now: () => number;
}

type Run = (scene: FaultScene, node: NodeProcess) => Promise<void>;

const DOWN_MS = 2_000;
const HANG_MS = 6_000;
const CUT_MS = 7_000;
const DATABASE_MS = 5_000;
const DELAY_MS = 250;

const FAULT_RUNS: Record<FaultKind, Run> = {
  async agents({ agents }) {
    agents.drop(3);
  },
  async kill(_, node) {
    node.signal("SIGKILL");
    await node.exited();
    await Bun.sleep(DOWN_MS);
    await node.start();
  },
  async hang(_, node) {
    node.signal("SIGSTOP");
    await Bun.sleep(HANG_MS);
    node.signal("SIGCONT");
  },
  async cut({ services, random }, node) {
    const proxy = services.proxies.get(node.name);
    const how = random.pick(["goAway", "hang", "mute", "deafen", "cutNext"] as const);
    proxy?.[how]();
    await Bun.sleep(CUT_MS);
    // Bytes that were swallowed would be missing in the middle of a connection.
    proxy?.goAway();
    proxy?.comeBack();
  },
  async delay({ services }, node) {
    const proxy = services.proxies.get(node.name);
    proxy?.delay(DELAY_MS);
    await Bun.sleep(CUT_MS);
    proxy?.delay(0);
  },
  async nats({ services }) {
    await services.nats.kill();
    await Bun.sleep(DOWN_MS);
    await services.nats.start();
  },
  async database({ services, random }) {
    await services.postgres.stop(random.pick(["immediate", "fast"] as const));
    await Bun.sleep(DATABASE_MS);
    await services.postgres.start();
  },
  async upgrade(_, node) {
    node.signal("SIGTERM");
    const code = await node.exited();
    if (code !== 0) throw new Error(`${node.name} ended with ${code} after SIGTERM`);
    await node.start();
  },
};

/** The faults that take a node away: an ask can be served only elsewhere. */
const AWAY: readonly FaultKind[] = ["kill", "hang", "upgrade"];

/** Returns the faults that are possible with this many nodes. */
export function faultKinds(nodeCount: number): FaultKind[] {
  const single: FaultKind[] = ["agents", "database", "kill", "upgrade"];
  return nodeCount === 1 ? single : [...single, "hang", "cut", "delay", "nats"];
}

/** Makes a fault at a node, and resolves with its record once it is over. */
export async function makeFault(kind: FaultKind, scene: FaultScene, node: NodeProcess): Promise<FaultEntry> {
  const from = scene.now();
  await FAULT_RUNS[kind](scene, node);
  return { kind, nodes: AWAY.includes(kind) ? [node.name] : [], from, until: scene.now() };
}
