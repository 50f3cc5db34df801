import { describe, expect, test } from "bun:test";
import { MINUTE_MS } from "../../../src/durations.ts";
import { chooseSeed, type Random } from "../../support/random.ts";
import { createScene, LIMIT, leftOver, mostWithin, NAMES, type Scene } from "./limit-load.ts";
import type { LimitNode } from "./limit-nodes.ts";

/** A home counts an ask up to this time before its node knows. */
const DELAY_MS = 60;

const seed = chooseSeed();

describe("limits across nodes", () => {
  test(`nodes that stay let in the limit within any minute, with any delays (SEED=${seed})`, async () => {
    const { scene, load } = createScene(seed, { requestsPerMinute: LIMIT });
    await load.run(150_000);
    await load.end();
    for (const moments of load.letIn.values()) {
      expect(mostWithin(moments, MINUTE_MS - DELAY_MS)).toBeLessThanOrEqual(LIMIT);
      expect(moments.length).toBeGreaterThanOrEqual(LIMIT * 2);
    }
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
  });

  test(`nodes that stay never run more asks of a user than they may run at once (SEED=${seed})`, async () => {
    const { scene, load } = createScene(seed, { maxParallel: 3 });
    await load.run(20_000);
    await load.end();
    expect(load.mostRunning).toBe(3);
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
  });
});

/** One fault, and what heals it. */
function faultsOf(scene: Scene, random: Random, killed: (node: LimitNode) => void) {
  let added = NAMES.length;
  const any = () => random.pick([...scene.nodes.keys()]);
  const pair = () => {
    const one = any();
    return [one, random.pick([...scene.nodes.keys()].filter((name) => name !== one))] as const;
  };
  return [
    async () => {
      scene.add(`n${++added}`);
      await scene.pass(20);
    },
    async () => {
      const name = any();
      scene.at(name).hang();
      await scene.pass(random.below(5_000), 100);
      const node = scene.at(name);
      scene.kill(name);
      killed(node);
      scene.add(`n${++added}`);
    },
    async () => {
      const name = any();
      const node = scene.at(name);
      scene.leave(name);
      killed(node);
      scene.add(`n${++added}`);
    },
    async () => scene.cluster.reset(...pair()),
    async () => {
      const [one, other] = pair();
      scene.cluster.part(one, other);
      await scene.pass(random.below(3_000), 100);
      if (scene.nodes.has(one) && scene.nodes.has(other)) scene.cluster.meet(one, other);
    },
    async () => {
      const node = scene.at(any());
      node.hang();
      await scene.pass(random.below(4_000), 100);
      node.wake();
    },
  ];
}

test(`random faults leave no lease behind, and let in a few times the limit at most (SEED=${seed})`, async () => {
  for (let round = 0; round < 3; round++) {
    const { random, scene, load } = createScene(seed + round, { requestsPerMinute: LIMIT, maxParallel: 4 });
    const faults = faultsOf(scene, random, load.killed);
    let [isOver, count] = [false, 0];
    const loading = load.run(70_000).then(() => {
      isOver = true;
    });
    while (!isOver && count < 8) {
      await random.pick(faults)();
      count++;
      for (let pause = random.below(8_000); pause > 0 && !isOver; pause -= 100) await scene.pass(100, 50);
    }
    await loading;
    await load.end();
    for (const moments of load.letIn.values())
      expect(mostWithin(moments, MINUTE_MS - 1_000)).toBeLessThanOrEqual(LIMIT * (count + 2));
    expect(leftOver(scene).filter((left) => left !== 0)).toEqual([]);
  }
}, 60_000);
