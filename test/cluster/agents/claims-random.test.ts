import { expect, test } from "bun:test";
import { agentKeyOf } from "../../support/agent-key.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { createAgentCluster, pass } from "./agent-cluster.ts";

const STEPS = 1_500;
const NAMES = ["a", "b", "c"];
const PAIRS = ["ab", "ac", "bc"];
const IDS = Array.from({ length: 4 }, (_, index) => `6c1f6f0e-4a4e-4f4e-9a55-0d6a7c1b2a3${index}`);
const KEYS = [agentKeyOf({ id: "key-1", name: "one" }), agentKeyOf({ id: "key-2", name: "two" }), undefined];

type Agent = ReturnType<ReturnType<ReturnType<typeof createAgentCluster>["add"]>["connect"]>;

const seed = chooseSeed();

test(`agents that move while nodes hang and lose each other end with one connection each (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const { clock, add, part, meet, hang, wake } = createAgentCluster();
  const nodes = NAMES.map((name) => add(name));
  const open: Agent[] = [];
  const apart = new Set<string>();
  const hung = new Set<string>();
  const steps = [
    () => {
      const [id, key] = [random.pick(IDS), KEYS[random.below(KEYS.length)]];
      open.push(random.pick(nodes).connect({ id, key, address: `192.0.2.${random.below(2)}` }));
    },
    () => open.splice(random.below(open.length + 1), 1)[0]?.connection.closed(),
    () => {
      const pair = random.pick(PAIRS);
      const [one, other] = [pair.slice(0, 1), pair.slice(1)];
      if (apart.delete(pair)) meet(one, other);
      else if (random.below(3) === 0) apart.add(pair) && part(one, other);
    },
    () => {
      const name = random.pick(NAMES);
      if (hung.delete(name)) wake(name);
      else if (random.below(3) === 0) hung.add(name) && hang(name);
    },
  ];
  for (let step = 0; step < STEPS; step++) {
    random.pick(steps)();
    await pass(clock, random.below(random.below(20) === 0 ? 400 : 4));
  }
  for (const name of hung) wake(name);
  for (const pair of apart) meet(pair.slice(0, 1), pair.slice(1));
  await pass(clock, 1_500);
  for (const id of IDS) {
    const homes = nodes.filter(({ relay }) => [...relay.agents()].some((agent) => agent.id === id));
    expect(homes.length).toBeLessThanOrEqual(1);
    const known = nodes.map(({ directory }) => directory.nodeOf(id));
    expect(known).toEqual(nodes.map((node) => (homes.includes(node) ? undefined : homes[0]?.name)));
  }
  const registered = nodes.reduce((sum, { relay }) => sum + relay.stats().agents, 0);
  expect(open.filter(({ closed }) => closed.length === 0).length).toBe(registered);
});
