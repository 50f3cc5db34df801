import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { createRelayBench, settle } from "../support/relay.ts";
import { type FakeAgent, tryJoinAgent } from "../support/transport.ts";

const IDS = ["a", "b", "c", "d", "e", "f"] as const;
const USERS = ["u1", "u2", "u3"] as const;

const seed = chooseSeed();

test(`whatever happens in whatever order, each ask has one outcome, its own, and nothing is left (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const { relay, clock, ask } = createRelayBench({ queueMax: 30, queueUserMax: 15 });
  const agents = new Map<string, FakeAgent>();
  const callers: AbortController[] = [];
  const outcomes = new Map<string, string[]>();
  let asked = 0;

  const some = () => random.pick([...agents.values()]);
  const busy = () => [...agents.values()].filter(({ asks }) => asks.length > 0);
  const steps = {
    ask() {
      const content = `q${asked++}`;
      const caller = new AbortController();
      callers.push(caller);
      const pin = random.next() < 0.2 ? { pin: random.pick(IDS) } : {};
      void ask(content, { user: random.pick(USERS), signal: caller.signal, ...pin }).then((outcome) =>
        outcomes.set(content, [...(outcomes.get(content) ?? []), outcome]),
      );
    },
    join() {
      const id = random.pick(IDS);
      const options = {
        pongs: random.next() < 0.8,
        slots: 1 + random.below(3),
        trusted: random.next() < 0.5,
      };
      const agent = tryJoinAgent(relay, id, { ...options, address: random.pick(["1", "2"]) });
      if (agent) agents.set(id, agent);
    },
    answer: () => busy().length > 0 && random.pick(busy()).answer(),
    refuse() {
      const agent = busy()[0];
      const taken = agent?.asks.shift();
      if (taken) agent?.link.fail(taken.slot, new AppError("agent_answer_invalid"), true);
    },
    repeat() {
      const agent = busy()[0];
      const slot = agent?.asks[0]?.slot;
      if (!agent || slot === undefined) return;
      agent.answer();
      agent.link.fail(slot, new AppError("agent_lost"), true);
    },
    gone: () => agents.size > 0 && some().link.gone(),
    deaf: () => agents.size > 0 && Object.assign(some(), { takesFrames: random.next() < 0.5 }),
    abort: () => callers[random.below(callers.length)]?.abort(),
    wait: () => clock.advance(random.pick([1, 100, 5_000, 11_000, 130_000])),
  };
  type Step = keyof typeof steps;
  const often: Step[] = ["ask", "ask", "ask", "answer", "answer", "join"];
  const weighted: Step[] = ["wait", ...(Object.keys(steps) as Step[]), ...often];

  for (let step = 0; step < 20_000; step++) {
    steps[random.pick(weighted)]();
    if (random.next() < 0.5) await settle();
    const stats = relay.stats();
    for (const agent of relay.agents()) expect(agent.inUse.size).toBeLessThanOrEqual(agent.offer.slots);
    expect(stats.asks_running).toBeLessThanOrEqual(stats.slots_in_use);
  }
  for (const agent of agents.values()) agent.link.gone();
  clock.advance(300_000);
  await settle();

  expect(relay.stats()).toMatchObject({ agents: 0, asks_waiting: 0, asks_running: 0, slots_in_use: 0 });
  expect(clock.pending()).toBe(0);
  expect(outcomes.size).toBe(asked);
  let answered = 0;
  for (const [content, [outcome, ...more]] of outcomes) {
    expect(more).toEqual([]);
    if (outcome?.startsWith("echo")) {
      answered++;
      expect(outcome).toBe(`echo: ${content}`);
    }
  }
  expect(answered).toBeGreaterThan(asked / 10);
});
