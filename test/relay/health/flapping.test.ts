import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import type { Agent } from "../../../src/relay/agent.ts";
import { fastestOf, ratioOf } from "../../../src/relay/routing/speed.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";
import { createRelayBench, type RelayBench, settle } from "../../support/relay.ts";
import { type FakeAgent, joinAgent } from "../../support/transport.ts";

const MODELS = ["m", "n"] as const;
const STEP_MS = 50;

/** How an agent answers at a time. */
type Behaviour = "good" | "refuse" | "limited" | "cut" | "bad request";

interface Scripted {
  id: string;
  slots: number;
  models: readonly string[];
  answerMs: () => number;
  behaviour: () => Behaviour;
  /** Called with each ask that it gets. */
  onAsk: (slot: string, content: string) => void;
}

/** Joins an agent that ends each ask by itself, as it behaves at that moment. */
function joinScripted({ relay, clock }: RelayBench, scripted: Scripted): FakeAgent {
  const { id, slots, models, answerMs, behaviour, onAsk } = scripted;
  const agent = joinAgent(relay, id, {
    ...{ protocol: "v2", slots, models: [...models] },
    onAsk({ slot, content }) {
      onAsk(slot, content);
      clock.after(answerMs(), () => end(agent, slot, behaviour()));
    },
  });
  return agent;
}

function end(agent: FakeAgent, slot: string, behaviour: Behaviour): void {
  if (!agent.link.holds(slot)) return;
  const { link } = agent;
  if (behaviour === "good" || behaviour === "cut") link.delta(slot, { data: "x" });
  if (behaviour === "good" || behaviour === "bad request") {
    const status = behaviour === "good" ? 200 : 400;
    link.done(slot, { kind: "model", status, body: "{}", usage: undefined });
    return;
  }
  const retryAfterMs = behaviour === "limited" ? 2_000 : undefined;
  link.fail(slot, new AppError("agent_failed", { retryAfterMs }), behaviour !== "cut");
}

/** Moves the time in small steps, and calls `look` after each. */
async function play({ clock }: RelayBench, ms: number, look = () => {}): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    clock.advance(STEP_MS);
    await settle();
    look();
  }
}

/** Asks again and again, one ask at a time, until there were `count` asks. */
async function callAgain({ ask }: RelayBench, count: number, outcomes: string[]): Promise<void> {
  for (let n = 0; n < count; n++) outcomes.push(await ask(`q${n}`, { model: "m" }));
}

const seed = chooseSeed();

test(`with three agents of four refusing at once, 100 of 100 asks are answered, and each of the three is asked ten times in a minute at most; within 10 s of their recovery they work (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const bench = createRelayBench({}, undefined, () => random.next());
  let hasRecovered = false;
  const asked = new Map<string, number[]>();
  const join = (id: string, slots: number, behaviour: () => Behaviour) => {
    asked.set(id, []);
    const onAsk = () => asked.get(id)?.push(bench.clock.now());
    joinScripted(bench, {
      id,
      slots,
      models: ["m"],
      answerMs: () => 10 + random.below(20),
      behaviour,
      onAsk,
    });
  };
  for (const id of ["b1", "b2", "b3"]) join(id, 8, () => (hasRecovered ? "good" : "refuse"));
  join("good", 8, () => "good");
  const outcomes: string[] = [];
  for (let caller = 0; caller < 4; caller++) void callAgain(bench, 25, outcomes);
  await play(bench, 5_000);
  expect(outcomes).toEqual(Array.from({ length: 100 }, () => "200"));

  // The callers go on for some minutes.
  const others: string[] = [];
  for (let caller = 0; caller < 4; caller++) void callAgain(bench, 100_000, others);
  await play(bench, 180_000);
  expect(others.filter((outcome) => outcome !== "200")).toEqual([]);
  for (const id of ["b1", "b2", "b3"]) {
    const times = asked.get(id) ?? [];
    const inMinute = times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length);
    expect(Math.max(...inMinute), id).toBeLessThanOrEqual(10);
    expect(times.length, id).toBeGreaterThan(10);
  }
  hasRecovered = true;
  const before = bench.clock.now();
  await play(bench, 10_000);
  for (const id of ["b1", "b2", "b3"])
    expect(asked.get(id)?.filter((at) => at > before).length, id).toBeGreaterThan(2);
  bench.relay.close();
});

test(`agents that fail one ask in four by chance stay in use when all of them are busy (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const bench = createRelayBench({}, undefined, () => random.next());
  const behaviour = () => (random.next() < 0.25 ? "refuse" : "good");
  for (const id of ["a", "b", "c", "d"])
    joinScripted(bench, { id, slots: 2, models: ["m"], answerMs: () => 20, behaviour, onAsk: () => {} });
  const outcomes: string[] = [];
  for (let caller = 0; caller < 20; caller++) void callAgain(bench, 250, outcomes);
  await play(bench, 60_000);
  expect(outcomes.length).toBe(5_000);
  expect(outcomes.filter((outcome) => outcome === "200").length).toBeGreaterThan(4_500);
  bench.relay.close();
});

/** Returns the behaviour of an agent that is good and bad in turns, each for some seconds. */
function flapping(random: Random, now: () => number): () => Behaviour {
  let until = 0;
  let current: Behaviour = "good";
  return () => {
    if (now() >= until) {
      until = now() + 1_000 + random.below(30_000);
      current = current === "good" ? random.pick(["refuse", "limited", "cut"] as const) : "good";
    }
    return random.next() < 0.05 ? "bad request" : current;
  };
}

/** Asks that have no outcome, by the agents that had them. */
interface OpenAsk {
  model: string;
  /** The agents that had it, and the slot that it had last. */
  agents: string[];
  slot?: string;
}

function createFlappingPool() {
  const random = createRandom(seed);
  const bench = createRelayBench({}, undefined, () => random.next());
  const { relay, clock, ask } = bench;
  const open = new Map<string, OpenAsk>();
  /** Since when an agent has room for an ask that waits. */
  const idleSince = new Map<string, number>();
  const counts = { asked: 0, ok: 0, bad: 0, failed: 0 };
  const registered = (id: string) => [...relay.agents()].find((agent) => agent.id === id);
  const join = (id: string) => {
    const slots = 1 + random.below(3);
    const behaviour = flapping(random, clock.now);
    const models = random.next() < 0.5 ? MODELS : [random.pick(MODELS)];
    const onAsk = (slot: string, content: string) => {
      checkProbe(registered(id), slot, clock.now());
      const one = open.get(content);
      one?.agents.push(id);
      if (one) one.slot = slot;
    };
    joinScripted(bench, { id, slots, models, answerMs: () => 1 + random.below(3_000), behaviour, onAsk });
  };
  const askOne = () => {
    const content = `q${counts.asked++}`;
    const model = random.pick(MODELS);
    open.set(content, { model, agents: [] });
    void ask(content, { model, user: random.pick(["u1", "u2", "u3"]) }).then((outcome) => {
      open.delete(content);
      counts[outcome === "200" ? "ok" : outcome === "400" ? "bad" : "failed"]++;
    });
  };
  return { ...bench, random, open, idleSince, counts, join, askOne };
}

/** An ask that an agent gets while its circuit is open must be the only probe. */
function checkProbe(agent: Agent | undefined, slotId: string, now: number): void {
  const slot = agent?.inUse.get(slotId);
  const circuit = slot && agent?.circuits?.get(slot.model);
  if (!circuit || circuit.stateAt(now) === "closed") return;
  expect(circuit.retryAt).toBeLessThanOrEqual(now);
  expect(circuit.probe).toBe(slot);
}

test(`with agents that fail in turns, no ask waits while a healthy agent has room, and every ask ends (SEED=${seed})`, async () => {
  const pool = createFlappingPool();
  const { relay, clock, random, counts } = pool;
  const ids = ["a", "b", "c", "d", "e"];
  for (const id of ids) pool.join(id);
  const look = () => {
    expectNoneWaitsForNothing(pool);
    if (random.next() < 0.1) pool.askOne();
    if (random.next() < 0.01) pool.join(random.pick(ids));
  };
  await play(pool, 600_000, look);
  await play(pool, 300_000);
  expect([pool.open.size, relay.stats().asks_waiting, relay.stats().slots_in_use]).toEqual([0, 0, 0]);
  expect(counts.ok + counts.bad + counts.failed).toBe(counts.asked);
  expect(counts.ok).toBeGreaterThan(counts.asked / 5);
  expect(relay.circuitStats().openings).toBeGreaterThan(10);
  relay.close();
  expect(clock.pending()).toBe(0);
});

/** Checks the asks that wait against the agents that could have them now. */
function expectNoneWaitsForNothing({
  relay,
  clock,
  open,
  idleSince,
}: ReturnType<typeof createFlappingPool>): void {
  if (relay.stats().asks_waiting === 0) return;
  const now = clock.now();
  const agents = [...relay.agents()];
  for (const [content, { model, agents: had, slot }] of open) {
    if (slot !== undefined && agents.some(({ inUse }) => inUse.has(slot))) continue;
    const fastest = fastestOf(
      agents.map((agent) => (agent.takesWork ? agent.speedOf(model)?.parts : undefined)),
    );
    const idle = agents.find((agent) => {
      const isHealthy = agent.hasModel(model) && !agent.circuits?.has(model);
      const isSlow = ratioOf(agent.speedOf(model)?.parts, fastest) > 2;
      return isHealthy && !isSlow && agent.hasRoom && agent.isFresh(now) && !had.includes(agent.id);
    });
    const since = idle && (idleSince.get(content) ?? now);
    if (since === undefined) idleSince.delete(content);
    else idleSince.set(content, since);
    // Speeds are compared anew each second, and what waits for a faster agent is looked at as often.
    const waitedMs = now - (since ?? now);
    expect(waitedMs, `${content} waits at ${now} though ${idle?.id} has room`).toBeLessThan(2_500);
  }
}
