import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { createRelayBench, settle } from "../support/relay.ts";
import { type FakeAgent, tryJoinAgent } from "../support/transport.ts";

const IDS = ["a", "b", "c", "d", "e", "f"] as const;
const USERS = ["u1", "u2", "u3"] as const;
const SLOTS_MAX = 3;

/** Agents of both protocols, and everything that they and the callers may do, one step at a time. */
function createChaos(seed: number) {
  const random = createRandom(seed);
  const bench = createRelayBench({ queueMax: 30, queueUserMax: 15 });
  const { relay, clock, ask } = bench;
  const agents = new Map<string, FakeAgent>();
  const callers: AbortController[] = [];
  const outcomes = new Map<string, string[]>();
  const seen = { asked: 0, strayDeltas: 0 };
  const busy = () => [...agents.values()].filter(({ asks }) => asks.length > 0);
  const any = () => [...agents.values()][random.below(agents.size)];
  const slots = () => 1 + random.below(SLOTS_MAX);

  const steps = {
    ask() {
      const content = `q${seen.asked++}`;
      const caller = new AbortController();
      callers.push(caller);
      const onDelta = ({ data }: { data: string }) => {
        if (data !== content || caller.signal.aborted || outcomes.has(content)) seen.strayDeltas++;
      };
      const pin = random.next() < 0.2 ? { pin: random.pick(IDS) } : {};
      const model = random.next() < 0.5 ? { model: "m" } : {};
      const user = random.pick(USERS);
      void ask(content, { user, signal: caller.signal, onDelta, ...pin, ...model }).then((outcome) =>
        outcomes.set(content, [...(outcomes.get(content) ?? []), outcome]),
      );
    },
    join() {
      const id = random.pick(IDS);
      const agent = tryJoinAgent(relay, id, {
        pongs: random.next() < 0.8,
        slots: slots(),
        resumed: random.next() < 0.5,
        address: random.pick(["1", "2"]),
        protocol: random.pick(["v1", "v2"]),
      });
      if (agent) agents.set(id, agent);
    },
    answer: () => busy().length > 0 && random.pick(busy()).answer(),
    refuse() {
      const agent = busy()[0];
      const taken = agent?.asks.shift();
      if (taken) agent?.link.fail(taken.slot, new AppError("agent_failed"), random.next() < 0.7);
    },
    repeat() {
      const agent = busy()[0];
      const slot = agent?.asks[0]?.slot;
      if (!agent || slot === undefined) return;
      agent.answer();
      agent.link.fail(slot, new AppError("agent_lost"), true);
    },
    begin() {
      const agent = busy()[0];
      const [taken] = agent?.asks ?? [];
      if (!agent || !taken) return;
      agent.link.accept(taken.slot);
      if (random.next() < 0.5) agent.link.delta(taken.slot, { data: taken.content });
    },
    change() {
      if (random.next() < 0.3) any()?.link.pause();
      else any()?.link.update({ slots: slots(), models: random.next() < 0.8 ? [{ id: "m" }] : [] });
    },
    gone: () => any()?.link.gone(),
    deaf: () => Object.assign(any() ?? {}, { takesFrames: random.next() < 0.5 }),
    abort: () => callers[random.below(callers.length)]?.abort(),
    wait: () => clock.advance(random.pick([1, 100, 5_000, 11_000, 130_000])),
  };
  type Step = keyof typeof steps;
  const often: Step[] = ["ask", "ask", "ask", "answer", "answer", "join", "change"];
  const weighted: Step[] = ["wait", ...(Object.keys(steps) as Step[]), ...often];
  return { ...bench, random, agents, outcomes, seen, step: () => steps[random.pick(weighted)]() };
}

const seed = chooseSeed();

test(`after 20,000 random steps, each ask has had exactly one outcome, its own, and nothing is left (SEED=${seed})`, async () => {
  const { relay, clock, random, agents, outcomes, seen, step } = createChaos(seed);
  for (let count = 0; count < 20_000; count++) {
    step();
    if (random.next() < 0.5) await settle();
    const stats = relay.stats();
    for (const agent of relay.agents()) expect(agent.inUse.size).toBeLessThanOrEqual(SLOTS_MAX);
    expect(stats.asks_running).toBeLessThanOrEqual(stats.slots_in_use);
  }
  for (const agent of agents.values()) agent.link.gone();
  clock.advance(300_000);
  await settle();

  expect(relay.stats()).toMatchObject({ agents: 0, asks_waiting: 0, asks_running: 0, slots_in_use: 0 });
  expect(clock.pending()).toBe(0);
  expect(seen.strayDeltas).toBe(0);
  expect(outcomes.size).toBe(seen.asked);
  let answered = 0;
  for (const [content, [outcome, ...more]] of outcomes) {
    expect(more).toEqual([]);
    if (outcome === "200" || outcome?.startsWith("echo")) answered++;
    if (outcome?.startsWith("echo")) expect(outcome).toBe(`echo: ${content}`);
  }
  expect(answered).toBeGreaterThan(seen.asked / 10);
});
