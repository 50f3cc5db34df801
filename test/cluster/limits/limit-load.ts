import type { Lease, UserLimits } from "../../../src/auth/limits/limits.ts";
import { NO_LIMITS } from "../../support/limits-bench.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { askAt, createLimitNodes, type LimitNode } from "./limit-nodes.ts";

const USERS = ["ann", "bob", "eve"];
export const NAMES = ["n1", "n2", "n3"];
export type Scene = ReturnType<typeof createLimitNodes>;

/** Returns the most that happened within any span. */
export function mostWithin(moments: readonly number[], spanMs: number): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let [most, first] = [0, 0];
  for (let last = 0; last < sorted.length; last++) {
    while ((sorted[last] ?? 0) - (sorted[first] ?? 0) >= spanMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Users who ask as often as they may at all nodes, and whose asks take some time. */
function createLoad(scene: Scene, random: Random, own: UserLimits) {
  const letIn = new Map<string, number[]>(USERS.map((user) => [user, []]));
  const running = new Map<string, Set<Lease>>(USERS.map((user) => [user, new Set()]));
  const leasesAt = new Map<LimitNode, Set<Lease>>();
  let most = 0;
  const open = new Set<Promise<void>>();

  async function ask(node: LimitNode, user: string): Promise<void> {
    const { lease } = await askAt(node, user, own);
    if (!lease || !scene.nodes.has(node.name)) return;
    letIn.get(user)?.push(scene.clock.now());
    const leases = running.get(user);
    leases?.add(lease);
    leasesAt.set(node, (leasesAt.get(node) ?? new Set()).add(lease));
    most = Math.max(most, leases?.size ?? 0);
    scene.clock.after(random.below(2_000), () => {
      leases?.delete(lease);
      lease.end();
    });
  }

  return {
    letIn,
    get mostRunning() {
      return most;
    },
    /** The asks of a node that is gone end with it. */
    killed(node: LimitNode) {
      for (const lease of leasesAt.get(node) ?? [])
        for (const leases of running.values()) leases.delete(lease);
    },
    /** Asks for some time; `eachMs` is called in between. */
    async run(ms: number, names = () => [...scene.nodes.keys()]) {
      for (let passed = 0; passed < ms; passed += 20) {
        const name = random.pick(names());
        const asking = ask(scene.at(name), random.pick(USERS));
        open.add(asking);
        void asking.finally(() => open.delete(asking));
        await scene.pass(20, 10);
      }
    },
    async end() {
      await scene.pass(8_000, 100);
      await Promise.all(open);
    },
  };
}

export function createScene(seed: number, own: Partial<UserLimits>) {
  const random = createRandom(seed);
  const scene = createLimitNodes({ delayMs: () => random.below(30) });
  for (const name of NAMES) scene.add(name);
  const limits = { ...NO_LIMITS, ...own };
  return { random, scene, load: createLoad(scene, random, limits) };
}

export const leftOver = ({ nodes }: Scene) =>
  [...nodes.values()].flatMap(({ limits: { leases, held, waiting } }) => [leases, held, waiting]);

export const LIMIT = 12;

/** Returns a user whose home is the node. */
export function userOf(scene: Scene, home: string): string {
  const [first] = scene.nodes.values();
  for (let index = 0; index < 1_000; index++)
    if (first?.limits.homeOf(`u${index}`) === home) return `u${index}`;
  throw new Error(`No user has the home ${home}.`);
}

/** Asks until a node refuses, and returns how often it let the user in. */
export async function drain(
  scene: Scene,
  names: readonly string[],
  user: string,
  own: UserLimits,
): Promise<number> {
  for (let count = 0; count < 1_000; count++) {
    const node = scene.at(names[count % names.length] ?? "");
    const { outcome, lease } = await scene.until(askAt(node, user, own));
    if (outcome !== "ok") return count;
    lease?.end();
  }
  throw new Error("Nothing was refused.");
}

export function threeNodes() {
  const scene = createLimitNodes();
  for (const name of NAMES) scene.add(name);
  return scene;
}

export const PER_MINUTE: UserLimits = { ...NO_LIMITS, requestsPerMinute: LIMIT };
