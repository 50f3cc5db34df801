import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { createRelayBench, peek, type RelayBench, settle } from "../../support/relay.ts";
import { type FakeAgent, joinAgent } from "../../support/transport.ts";

const V2 = { protocol: "v2", slots: 2 } as const;
const MODEL = { model: "m" };

const failure = (retryAfterMs?: number) => new AppError("agent_failed", { retryAfterMs });

/** Fails the agent's oldest ask. */
function fail(agent: FakeAgent, error = failure(), retryable = true): void {
  const [ask] = agent.asks.splice(0, 1);
  if (!ask) throw new Error(`${agent.id} has nothing to fail`);
  agent.link.fail(ask.slot, error, retryable);
}

const contents = (...agents: FakeAgent[]) => agents.map(({ asks }) => asks.map(({ content }) => content));

/** A pool of one agent whose circuit is open. */
function openScene(retryAfterMs = 3_000) {
  const bench = createRelayBench({}, undefined, () => 0);
  const agent = joinAgent(bench.relay, "a", V2);
  void bench.ask("fails", MODEL);
  fail(agent, failure(retryAfterMs));
  return { ...bench, agent };
}

async function errorOf(asked: ReturnType<RelayBench["askWhole"]>): Promise<AppError> {
  const error = await asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof AppError)) throw new Error("the ask did not fail");
  return error;
}

const statesOf = ({ relay, clock }: RelayBench, id: string) => {
  const agent = [...relay.agents()].find((candidate) => candidate.id === id);
  return [...(agent?.circuits ?? [])].map(([model, circuit]) => `${model} ${circuit.stateAt(clock.now())}`);
};

describe("open circuits", () => {
  test("an agent with an open circuit gets no ask while a healthy agent is connected, even if that one is busy and the ask has to wait", async () => {
    const { relay, ask, agent } = openScene(60_000);
    const good = joinAgent(relay, "good", { ...V2, slots: 1 });
    const asks = ["1", "2"].map((content) => ask(content, MODEL));
    expect([contents(agent, good), relay.stats().asks_waiting]).toEqual([[[], ["1"]], 1]);
    good.answer();
    good.answer();
    expect(await Promise.all(asks)).toEqual(["200", "200"]);
  });

  test("if no other agent can do the work, asks fail at once with the last error and the time until the probe", async () => {
    const { askWhole, clock } = openScene(20_000);
    clock.advance(5_000);
    const error = await errorOf(askWhole("2", MODEL));
    expect([error.code, error.retryAfterMs]).toEqual(["agent_failed", 15_000]);
  });

  test("an ask after the time in the error is the probe, all others fail until it ends, and its success closes the circuit", async () => {
    const bench = openScene();
    const { ask, askWhole, agent, clock } = bench;
    const { retryAfterMs = 0 } = await errorOf(askWhole("too early", MODEL));
    clock.advance(retryAfterMs);
    const probe = ask("probe", MODEL);
    expect(contents(agent)).toEqual([["probe"]]);
    expect(statesOf(bench, "a")).toEqual(["m half_open"]);
    const error = await errorOf(askWhole("another", MODEL));
    expect([error.code, error.retryAfterMs]).toEqual(["agent_failed", 1_000]);
    agent.answer();
    expect([await probe, statesOf(bench, "a")]).toEqual(["200", []]);
    void ask("1", MODEL);
    void ask("2", MODEL);
    expect(contents(agent)).toEqual([["1", "2"]]);
  });

  test("a probe that fails makes the next pause longer", async () => {
    const { ask, agent, clock } = openScene();
    clock.advance(3_000);
    const probe = ask("probe", MODEL);
    fail(agent);
    expect(await probe).toBe("agent_failed");
    clock.advance(4_499);
    expect(await ask("too early", MODEL)).toBe("agent_failed");
    clock.advance(1);
    void ask("next probe", MODEL);
    await settle();
    expect(contents(agent)).toEqual([["next probe"]]);
  });

  test("the first byte of the probe closes the circuit for the others, and a cut of its stream opens it again", async () => {
    const bench = openScene();
    const { ask, agent, clock } = bench;
    clock.advance(3_000);
    const probe = ask("probe", MODEL);
    agent.link.delta(agent.asks[0]?.slot ?? "", { data: "x" });
    const other = ask("other", MODEL);
    expect([contents(agent), statesOf(bench, "a")]).toEqual([[["probe", "other"]], ["m closed"]]);
    fail(agent, failure(), false);
    expect([await probe, statesOf(bench, "a")]).toEqual(["agent_failed", ["m open"]]);
    agent.answer();
    expect([await other, statesOf(bench, "a")]).toEqual(["200", ["m open"]]);
  });

  test("a probe whose caller leaves, or whose request is to blame, decides nothing: the next ask is the probe", async () => {
    const bench = openScene();
    const { ask, agent, clock } = bench;
    clock.advance(3_000);
    const caller = new AbortController();
    void ask("left", { ...MODEL, signal: caller.signal });
    caller.abort();
    agent.asks.shift();
    const refused = ask("refused", MODEL);
    const slot = agent.asks.shift()?.slot ?? "";
    agent.link.done(slot, { kind: "model", status: 400, body: "{}", usage: undefined });
    expect([await refused, statesOf(bench, "a")]).toEqual(["400", ["m half_open"]]);
    void ask("probe", MODEL);
    void ask("another", MODEL);
    expect(contents(agent)).toEqual([["probe"]]);
  });

  test("an agent with an open circuit goes on with its other models", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, models: ["m", "other"] });
    void ask("1", MODEL);
    fail(agent, failure(60_000));
    void ask("2", { model: "other" });
    expect(contents(agent)).toEqual([["2"]]);
  });

  test("an agent serves a waiting ask as soon as its pause is over", () => {
    const { relay, ask, agent, clock } = openScene();
    const good = joinAgent(relay, "good", { ...V2, slots: 1 });
    for (const content of ["1", "2", "3"]) void ask(content, MODEL);
    clock.advance(2_999);
    expect(contents(agent, good)).toEqual([[], ["1"]]);
    clock.advance(1);
    expect(contents(agent, good)).toEqual([["2"], ["1"]]);
    agent.answer();
    expect(contents(agent, good)).toEqual([["3"], ["1"]]);
  });

  test("asks that wait for the last healthy agent fail at once when its circuit opens too", async () => {
    const { relay, ask } = openScene(60_000);
    const good = joinAgent(relay, "good", { ...V2, slots: 1 });
    const asks = ["1", "2"].map((content) => ask(content, MODEL));
    fail(good, failure(30_000));
    expect(await Promise.all(asks)).toEqual(["agent_failed", "agent_failed"]);
  });

  test("an agent has its circuit still when it comes back under its id, and no timer is left when it leaves for good", async () => {
    const bench = openScene();
    const { relay, ask, agent, clock } = bench;
    agent.link.gone();
    expect(clock.pending()).toBe(0);
    const back = joinAgent(relay, "a", V2);
    expect(statesOf(bench, "a")).toEqual(["m open"]);
    expect(await ask("too early", MODEL)).toBe("agent_failed");
    clock.advance(3_000);
    void ask("probe", MODEL);
    expect(contents(back)).toEqual([["probe"]]);
  });

  test("an agent no longer has a circuit for a model that it does not offer any more", () => {
    const bench = openScene();
    bench.agent.link.update({ models: [{ id: "other" }] });
    bench.agent.link.update({ models: [{ id: "m" }] });
    expect(statesOf(bench, "a")).toEqual([]);
  });

  test("an agent gets asks again once an administrator resets it", async () => {
    const bench = openScene(60_000);
    const { relay, ask, agent } = bench;
    expect(relay.circuitStats()).toEqual({ open: 1, half_open: 0, openings: 1 });
    expect([relay.resetCircuits("a", "other"), relay.resetCircuits("nobody")]).toEqual([[], undefined]);
    expect(await ask("too early", MODEL)).toBe("agent_failed");
    expect(relay.resetCircuits("a")).toEqual(["m"]);
    void ask("1", MODEL);
    expect([contents(agent), relay.circuitStats().open]).toEqual([[["1"]], 0]);
  });
});

describe("what counts as a failure of the agent", () => {
  /** Returns the states of the circuits after three asks ended in the same way. */
  async function after(end: (agent: FakeAgent, slot: string, bench: RelayBench) => void) {
    const bench = createRelayBench({}, undefined, () => 0);
    const agent = joinAgent(bench.relay, "a", V2);
    for (let count = 0; count < 3; count++) {
      void bench.ask("q", MODEL);
      await settle();
      end(agent, agent.asks.shift()?.slot ?? "", bench);
      bench.clock.advance(1_000);
      await settle();
    }
    return statesOf(bench, "a");
  }
  const doneWith = (status: number) => (agent: FakeAgent, slot: string) =>
    agent.link.done(slot, { kind: "model", status, body: "{}", usage: undefined });

  test.each([400, 404, 413, 422])("an upstream's %d does not count", async (status) => {
    expect(await after(doneWith(status))).toEqual([]);
    expect(await after((agent, slot) => agent.link.fail(slot, failure(), false))).toEqual([]);
  });

  test.each([402, 429, 500, 503])("an upstream's %d counts, however the agent tells it", async (status) => {
    expect(await after(doneWith(status))).toEqual(["m open"]);
    const error = new AppError("agent_failed", { upstream: { status } });
    expect(await after((agent, slot) => agent.link.fail(slot, error, true))).toEqual(["m open"]);
  });

  test("a stream that is cut counts, unless the request is to blame", async () => {
    const cut = (error: AppError) => (agent: FakeAgent, slot: string) => {
      agent.link.delta(slot, { data: "x" });
      agent.link.fail(slot, error, false);
    };
    expect(await after(cut(failure()))).toEqual(["m open"]);
    expect(await after(cut(new AppError("agent_failed", { upstream: { status: 400 } })))).toEqual([]);
  });

  test("a first byte that does not come in time counts", async () => {
    const pass = (agent: FakeAgent, _: string, { clock }: RelayBench) => {
      for (let second = 0; second < 120; second++) {
        clock.advance(1_000);
        agent.link.pong();
      }
    };
    expect(await after(pass)).toEqual(["m open"]);
  });

  test("a success before the third failure starts the count again", async () => {
    let count = 0;
    const mixed = (agent: FakeAgent, slot: string) =>
      count++ === 1 ? doneWith(200)(agent, slot) : agent.link.fail(slot, failure(), true);
    expect(await after(mixed)).toEqual(["m closed"]);
  });

  test("a lost connection is one failure, however many asks it had", async () => {
    const bench = createRelayBench();
    const agent = joinAgent(bench.relay, "a", { ...V2, slots: 8 });
    for (let count = 0; count < 8; count++) void bench.ask("q", MODEL);
    agent.link.gone();
    joinAgent(bench.relay, "a", { ...V2, slots: 8 });
    expect(statesOf(bench, "a")).toEqual(["m closed"]);
  });

  test("an agent that an administrator disconnects has not failed", () => {
    const bench = createRelayBench();
    joinAgent(bench.relay, "a", V2);
    void bench.ask("q", MODEL);
    bench.relay.disconnect("a", { drain: false });
    joinAgent(bench.relay, "a", V2);
    expect(statesOf(bench, "a")).toEqual([]);
  });
});

test("an ask that is refused goes to every agent before it fails, however many there are", async () => {
  const { relay, ask } = createRelayBench();
  const agents = ["a", "b", "c", "d", "e"].map((id) => joinAgent(relay, id));
  const asked = ask("q");
  for (const agent of agents.slice(0, 4)) fail(agent);
  agents[4]?.answer();
  expect(await asked).toBe("echo: q");
});

test("a follow-up whose only agent has an open circuit fails at once with the last error", async () => {
  const { relay, ask, clock } = createRelayBench();
  const agent = joinAgent(relay, "a");
  joinAgent(relay, "b");
  for (let count = 0; count < 3; count++) {
    void ask("q", { pin: "a" });
    fail(agent);
    clock.advance(1_000);
  }
  expect(await ask("next", { pin: "a" })).toBe("agent_failed");
});

test("an ask waits for the return of an agent that left, but not for one whose circuit is open", async () => {
  const { relay, ask, agent, clock } = openScene(60_000);
  const good = joinAgent(relay, "good", V2);
  good.link.gone();
  const waiting = ask("waits", MODEL);
  expect(await peek(waiting)).toBe("open");
  joinAgent(relay, "good", V2).answer();
  expect(await waiting).toBe("200");
  agent.link.gone();
  clock.advance(1);
});

test("an agent that comes back while it is probed gets the probe anew, and other asks", async () => {
  const { relay, ask, agent, clock } = openScene();
  clock.advance(3_500);
  const probe = ask("probe", MODEL);
  expect(contents(agent)).toEqual([["probe"]]);
  const again = joinAgent(relay, "a", V2);
  again.answer();
  expect(await probe).toBe("200");
  void ask("next", MODEL);
  expect(contents(again)).toEqual([["next"]]);
});
