import { expect, test } from "bun:test";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { createWireScene, delta } from "./wire-scene.ts";

const seed = chooseSeed();
const RUNS = 30;

/** Sends numbered frames of several slots both ways, over a network that loses, repeats and reorders messages. */
function run(runSeed: number) {
  const random = createRandom(runSeed);
  const scene = createWireScene();
  const { clock, network } = scene;
  const payloadMax = random.pick([8 * 1024, 64 * 1024, 1024 * 1024]);
  const nodes = [scene.add("a", { payloadMax }), scene.add("b", { payloadMax })] as const;
  clock.advance(1_000);
  const [lost, repeated, late] = [random.next() * 0.3, random.next() * 0.3, random.next() * 0.3];
  const fate = () => {
    if (random.next() < lost) return [];
    const delayMs = random.next() < late ? random.below(300) : 1;
    return random.next() < repeated ? [delayMs, delayMs + random.below(500)] : [delayMs];
  };
  network.fate = fate;
  const sent: string[][] = [[], []];
  for (let step = 0; step < 200; step++) {
    const from = random.below(2) as 0 | 1;
    const slot = `${random.below(3)}`;
    const filler = "x".repeat(random.next() < 0.05 ? random.below(60_000) : random.below(40));
    const data = `${slot} ${step} ${filler}`;
    if (nodes[from].wire.send(nodes[(1 - from) as 0 | 1].wire.self.id, delta(data, slot)))
      sent[1 - from]?.push(data);
    clock.advance(random.below(40));
    if (random.next() < 0.02) {
      const { id } = random.pick(nodes).wire.self;
      network.setDown(id, true);
      clock.advance(random.below(2_000));
      network.setDown(id, false);
    }
  }
  network.fate = undefined;
  clock.advance(10_000);
  return { nodes, sent };
}

const bySlot = (events: readonly string[]) =>
  Object.groupBy(
    events.filter((event) => /^\d/.test(event)),
    (event) => event.split(" ")[0] ?? "",
  );

/** Whether all items are in the list, in that order. */
function isSubsequence(items: readonly string[], list: readonly string[]): boolean {
  let at = 0;
  return items.every((item) => {
    at = list.indexOf(item, at) + 1;
    return at > 0;
  });
}

test(`frames arrive once and in order over a network that loses, repeats and reorders messages (seed ${seed})`, () => {
  let [resends, whole] = [0, 0];
  for (let at = 0; at < RUNS; at++) {
    const { nodes, sent } = run(seed + at);
    // Too many beats in a row may be lost.
    const isWhole = nodes.every(({ events }) => events.every((event) => !event.startsWith("lost")));
    if (isWhole) whole += 1;
    for (const [index, { events, wire }] of nodes.entries()) {
      const [got, all] = [bySlot(events), bySlot(sent[index] ?? [])];
      const hint = `seed ${seed + at}`;
      if (isWhole) expect([got, wire.counts.resets], hint).toEqual([all, 0]);
      for (const slot of Object.keys(got))
        expect(isSubsequence(got[slot] ?? [], all[slot] ?? []), hint).toBe(true);
      resends += wire.counts.resends;
    }
  }
  expect(resends).toBeGreaterThan(0);
  expect(whole).toBeGreaterThan(RUNS / 2);
});
