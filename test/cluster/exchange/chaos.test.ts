import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { settle } from "../../support/relay.ts";
import { type FakeAgent, tryJoinAgent } from "../../support/transport.ts";
import { createExchangeScene, type ExchangeNode } from "./exchange-scene.ts";

const NAMES = ["a", "b", "c"] as const;
const PAIRS: readonly (readonly [string, string])[] = [
  ["a", "b"],
  ["a", "c"],
  ["b", "c"],
];
const IDS = ["x", "y", "z"] as const;
const SLOTS_MAX = 3;
const STEPS = 3_000;

/** Three nodes with agents of both protocols and callers, and everything that may happen, one step at a time. */
function createChaos(seed: number) {
  const random = createRandom(seed);
  const delayMs = () => (random.next() < 0.9 ? 1 + random.below(3) : random.below(200));
  const scene = createExchangeScene({
    delayMs,
    random: random.next,
    limits: { queueMax: 60, queueUserMax: 40 },
  });
  const nodes = new Map<string, ExchangeNode>(NAMES.map((name) => [name, scene.add(name)]));
  const agents = new Map<string, FakeAgent>();
  const callers: AbortController[] = [];
  const outcomes = new Map<string, string[]>();
  const seen = { asked: 0, stray: 0 };
  const node = () => nodes.get(random.pick(NAMES)) as ExchangeNode;
  const busy = () => [...agents.values()].filter(({ asks }) => asks.length > 0);
  const any = () => [...agents.values()][random.below(agents.size)];
  const pair = () => random.pick(PAIRS);

  const steps = {
    ask() {
      const content = `q${seen.asked++}`;
      const caller = new AbortController();
      callers.push(caller);
      const pin = random.next() < 0.1 ? { pin: `${random.pick(NAMES)}${random.pick(IDS)}` } : {};
      const prefer = random.next() < 0.2 ? { prefer: `${random.pick(NAMES)}${random.pick(IDS)}` } : {};
      const model = random.next() < 0.7 ? { model: "m" } : {};
      const user = random.pick(["u1", "u2", "u3"]);
      const asked = node().ask(content, { user, signal: caller.signal, ...pin, ...prefer, ...model });
      void asked.outcome.then((outcome) => {
        outcomes.set(content, [...(outcomes.get(content) ?? []), outcome]);
        if (asked.deltas.some((data) => data !== content)) seen.stray++;
        if (outcome === "200" && asked.deltas.length === 0) seen.stray++;
      });
    },
    join() {
      const home = node();
      const id = `${home.name}${random.pick(IDS)}`;
      const agent = tryJoinAgent(home.relay, id, {
        pongs: random.next() < 0.9,
        slots: 1 + random.below(SLOTS_MAX),
        protocol: random.next() < 0.7 ? "v2" : "v1",
      });
      if (agent) agents.set(id, agent);
    },
    answer: () => busy().length > 0 && random.pick(busy()).answer(),
    refuse() {
      const agent = busy()[0];
      const taken = agent?.asks.shift();
      if (taken) agent?.link.fail(taken.slot, new AppError("agent_failed"), random.next() < 0.7);
    },
    begin() {
      const agent = busy()[0];
      const [taken] = agent?.asks ?? [];
      if (!agent || !taken) return;
      agent.link.accept(taken.slot);
      if (random.next() < 0.5) agent.link.alive(taken.slot);
      if (random.next() < 0.5) agent.link.delta(taken.slot, { data: taken.content });
    },
    change() {
      if (random.next() < 0.3) any()?.link.pause();
      else any()?.link.update({ slots: 1 + random.below(SLOTS_MAX), models: [{ id: "m" }] });
    },
    gone: () => random.next() < 0.3 && any()?.link.gone(),
    abort: () => callers[random.below(callers.length)]?.abort(),
    reset: () => random.next() < 0.2 && scene.cluster.reset(...pair()),
    part: () => random.next() < 0.1 && scene.cluster.part(...pair()),
    meet: () => meet(...pair()),
    wait: () => scene.clock.advance(random.pick([1, 1, 5, 30, 100, 1_000, 5_000])),
    waitLong: () => random.next() < 0.1 && scene.clock.advance(random.pick([11_000, 130_000])),
  };
  const meet = (one: string, other: string) => {
    if (!nodes.get(one)?.link.nodes.has(other)) scene.cluster.meet(one, other);
  };
  type Step = keyof typeof steps;
  const often: Step[] = ["ask", "ask", "ask", "answer", "answer", "answer", "join", "wait", "wait", "wait"];
  const weighted: Step[] = [...(Object.keys(steps) as Step[]), ...often];
  return { ...scene, nodes, agents, outcomes, seen, meet, step: () => steps[random.pick(weighted)]() };
}

const seed = chooseSeed();

test(`after ${STEPS} random steps at three nodes, each ask has had one outcome, its own, and nothing is left (SEED=${seed})`, async () => {
  const { nodes, agents, clock, outcomes, seen, meet, step, pass } = createChaos(seed);
  for (let count = 0; count < STEPS; count++) {
    step();
    await settle();
    for (const { relay } of nodes.values())
      for (const agent of relay.agents()) expect(agent.inUse.size).toBeLessThanOrEqual(SLOTS_MAX);
  }
  for (const [one, other] of PAIRS) meet(one, other);
  for (const agent of agents.values()) agent.link.gone();
  await pass(400_000, 2_000);

  for (const { name, relay, exchange } of nodes.values()) {
    const { agents: connected, asks_waiting, asks_running, slots_in_use } = relay.stats();
    const { tickets, slotsLent, slotsBorrowed } = relay.lendingStats();
    const left = { connected, asks_waiting, asks_running, slots_in_use, tickets, slotsLent, slotsBorrowed };
    expect({ name, ...left, exchange: exchange.stats() }).toMatchObject({
      ...{ name, connected: 0, asks_waiting: 0, asks_running: 0, slots_in_use: 0 },
      ...{ tickets: 0, slotsLent: 0, slotsBorrowed: 0, exchange: { tickets: 0, slots: 0 } },
    });
  }
  expect(clock.pending()).toBe(0);
  expect(seen.stray).toBe(0);
  expect(outcomes.size).toBe(seen.asked);
  let answered = 0;
  for (const [content, [outcome, ...more]] of outcomes) {
    expect([content, ...more]).toEqual([content]);
    if (outcome === "200" || outcome?.startsWith("echo")) answered++;
    if (outcome?.startsWith("echo")) expect(outcome).toBe(`echo: ${content}`);
  }
  expect(answered).toBeGreaterThan(seen.asked / 10);
}, 60_000);
