import { expect, test } from "bun:test";
import { createRelayBench, peek, settle } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;
const M = { model: "m" };
const TWO_MODELS = { ...V2, models: ["m", "n"] };

const counts = (...agents: FakeAgent[]) => agents.map(({ asks }) => asks.length);
const contents = ({ asks }: FakeAgent) => asks.map(({ content }) => content);

/** A pool with an agent of a higher priority that was not heard lately, and answers no ping. */
function silentScene(limits = {}) {
  const bench = createRelayBench(limits);
  const silent = joinAgent(bench.relay, "silent", { ...V2, preference: { priority: 1 }, pongs: false });
  bench.clock.advance(6_000);
  return { ...bench, silent };
}

test("an ask that has waited for its own agent and then for a better one is sent once", () => {
  const { relay, ask, clock, silent } = silentScene();
  const own = joinAgent(relay, "own", { ...V2, preference: { priority: 2 } });
  const other = joinAgent(relay, "other", { ...V2, slots: 9 });
  void ask("busy", { ...M, prefer: "own" });
  void ask("next", { ...M, prefer: "own" });
  clock.advance(300);
  own.link.pause();
  expect(silent.pings).toBe(1);
  clock.advance(250);
  expect(contents(other)).toEqual(["next"]);
  clock.advance(1_000);
  expect(contents(other)).toEqual(["next"]);
});

test("an ask whose own agent has left keeps its place among those that wait", () => {
  const { relay, ask, clock } = createRelayBench();
  const own = joinAgent(relay, "own", V2);
  const other = joinAgent(relay, "other", V2);
  for (const agent of ["own", "other"]) void ask("busy", { ...M, prefer: agent });
  void ask("first", { ...M, prefer: "own" });
  own.link.pause();
  void ask("second", M);
  clock.advance(1_000);
  other.answer();
  expect(contents(other)).toEqual(["first"]);
});

test("a full queue refuses no ask for which an agent has room, though a better one must be pinged first", () => {
  const { relay, ask } = silentScene({ queueMax: 0 });
  const other = joinAgent(relay, "other", V2);
  void ask("q", M);
  expect(contents(other)).toEqual(["q"]);
});

test("an agent that would have to load the model again has nothing cached that is worth a swap", () => {
  const { relay, ask } = createRelayBench();
  const cold = joinAgent(relay, "cold", { ...TWO_MODELS, loaded: ["n"] });
  const warm = joinAgent(relay, "warm", { ...TWO_MODELS, loaded: ["m"] });
  void ask("q", { ...M, prefer: "cold" });
  expect(counts(cold, warm)).toEqual([0, 1]);
});

test("a conversation leaves an agent that has become several times slower than another", async () => {
  const { relay, ask, clock } = createRelayBench();
  const [fast, slow] = [joinAgent(relay, "fast", V2), joinAgent(relay, "slow", V2)];
  for (const [agent, ms] of [[fast, 100] as const, [slow, 2_000] as const])
    for (let n = 0; n < 6; n++) {
      const answered = ask("q", { ...M, prefer: agent.id });
      clock.advance(ms);
      agent.answer();
      await answered;
    }
  clock.advance(1_000);
  void ask("next", { ...M, prefer: "slow" });
  await settle();
  expect(counts(fast, slow)).toEqual([1, 0]);
});

test("an agent that no longer tells what it has in memory is taken for one that never told", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", { ...TWO_MODELS, loaded: ["n"] });
  const other = joinAgent(relay, "other", { ...TWO_MODELS, loaded: ["m"] });
  agent.link.update({ models: [{ id: "m" }, { id: "n" }] });
  for (const content of ["1", "2"]) expect(await peek(ask(content, M))).toBe("open");
  expect(counts(agent, other)).toEqual([1, 1]);
});

test("an ask whose agent comes back without its model does not wait for it", async () => {
  const { relay, ask } = createRelayBench();
  joinAgent(relay, "a", V2);
  void ask("busy", M);
  const waiting = ask("waits", M);
  expect(await peek(waiting)).toBe("open");
  joinAgent(relay, "a", { ...V2, models: ["n"] });
  expect(await peek(waiting)).toBe("no_agent");
});
