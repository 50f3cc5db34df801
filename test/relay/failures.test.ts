import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createRelayBench, peek, settle } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

function refuse(agent: FakeAgent): void {
  const ask = agent.asks.shift();
  if (!ask) throw new Error("nothing to refuse");
  agent.link.fail(ask.slot, new AppError("agent_answer_invalid"), true);
}

describe("an agent fails", () => {
  test("when an agent is lost in the middle of an ask, another agent answers it", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const asked = ask("q");
    a.link.gone();
    b.answer();
    expect(await asked).toBe("echo: q");
  });

  test("a lost ask is its user's next, before the asks that were never sent", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    void ask("on a");
    void ask("on b");
    void ask("waiting");
    a.link.gone();
    b.answer();
    expect(b.asks.map(({ content }) => content)).toEqual(["on a"]);
  });

  test("a refused ask goes to each agent at most once, and then fails with the last refusal", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const asked = ask("q");
    refuse(a);
    refuse(b);
    expect(await asked).toBe("agent_answer_invalid");
    expect([a.asks.length, b.asks.length]).toEqual([0, 0]);
  });

  test("an ask that was lost three times is not sent again", async () => {
    const { relay, ask } = createRelayBench();
    const agents = ["a", "b", "c", "d"].map((id) => joinAgent(relay, id));
    const asked = ask("q");
    for (const agent of agents.slice(0, 3)) agent.link.gone();
    expect(await asked).toBe("agent_lost");
    expect(agents[3]?.asks.length).toBe(0);
  });

  test("an ask never goes to the same agent twice while another one is connected, even a busy one", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const [first, second] = [ask("1"), ask("2")];
    refuse(a);
    expect(a.asks.length).toBe(0);
    b.answer();
    expect(b.asks.map(({ content }) => content)).toEqual(["1"]);
    b.answer();
    expect(await Promise.all([first, second])).toEqual(["echo: 1", "echo: 2"]);
  });

  test("an agent that refused an ask serves the next one", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const refused = ask("1");
    refuse(agent);
    expect(await refused).toBe("agent_answer_invalid");
    const asked = ask("2");
    agent.answer();
    expect(await asked).toBe("echo: 2");
  });

  test("when the untried agent leaves, a lost ask may go back to an agent that had it", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const busy = ask("on a");
    const lost = ask("on b");
    b.link.gone();
    const back = joinAgent(relay, "b");
    expect(back.asks.length).toBe(0);
    a.link.gone();
    expect(back.asks.length).toBe(1);
    back.answer();
    back.answer();
    expect((await Promise.all([busy, lost])).sort()).toEqual(["echo: on a", "echo: on b"]);
  });

  test("a frame that the socket dropped counts as a failure of the agent", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    a.takesFrames = false;
    const asked = ask("q");
    expect(a.closed).toEqual(["frames_dropped"]);
    b.answer();
    expect(await asked).toBe("echo: q");
  });

  test("a follow-up is never sent twice", async () => {
    const { relay, ask } = createRelayBench();
    const a = joinAgent(relay, "a");
    const b = joinAgent(relay, "b");
    const asked = ask("q", { pin: "a" });
    a.link.gone();
    joinAgent(relay, "a");
    expect(await asked).toBe("agent_lost");
    expect(b.asks.length).toBe(0);
  });
});

describe("time limits", () => {
  test("an answer that comes after its time limit is dropped, and the agent takes the next ask", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const late = ask("late");
    const slot = agent.asks[0]?.slot;
    clock.advance(120_000);
    expect(await late).toBe("agent_timeout");
    if (slot !== undefined) expect(agent.link.holds(slot)).toBe(false);
    agent.answer();
    const asked = ask("next");
    await settle();
    expect(agent.asks.map(({ content }) => content)).toEqual(["next"]);
    agent.answer();
    expect(await asked).toBe("echo: next");
  });

  test("a v1 agent that missed its time limit must answer a ping before it gets more work", async () => {
    const { relay, ask, clock } = createRelayBench();
    const mute = joinAgent(relay, "mute", { pongs: false });
    const late = ask("late");
    const waiting = ask("waiting");
    clock.advance(119_999);
    const other = joinAgent(relay, "other");
    other.answer();
    expect(await waiting).toBe("echo: waiting");
    clock.advance(1);
    expect(await late).toBe("agent_timeout");
    void ask("next on other");
    const asked = ask("next");
    expect(mute.asks.length).toBe(1);
    expect(mute.pings).toBe(1);
    clock.advance(5_000);
    expect(mute.closed).toEqual(["pong_missed"]);
    other.answer();
    other.answer();
    expect(await asked).toBe("echo: next");
  });

  test("an ask waits for a slot no longer than the limit for waiting", async () => {
    const { relay, ask, clock } = createRelayBench({ queueWaitMs: 1_000 });
    joinAgent(relay, "a");
    void ask("running");
    const waiting = ask("waiting");
    clock.advance(1_000);
    expect(await waiting).toBe("no_agent");
    expect(relay.stats().asks_waiting).toBe(0);
  });
});

describe("liveness", () => {
  test("an agent that was not heard for 5 s is pinged before an ask, and gets the ask after its pong", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", { pongs: false });
    clock.advance(5_000);
    const asked = ask("q");
    expect([agent.pings, agent.asks.length]).toEqual([1, 0]);
    agent.link.pong();
    agent.answer();
    expect(await asked).toBe("echo: q");
  });

  test("a missed pong closes the socket, and the ask moves on to the next agent", async () => {
    const { relay, ask, clock } = createRelayBench();
    const dead = joinAgent(relay, "dead", { pongs: false });
    const alive = joinAgent(relay, "alive");
    clock.advance(5_000);
    const asked = ask("q");
    await settle();
    clock.advance(5_000);
    await settle();
    expect(dead.closed).toEqual(["pong_missed"]);
    alive.answer();
    expect(await asked).toBe("echo: q");
  });

  test("an idle agent is pinged at intervals and closed when it does not answer", async () => {
    const { relay, clock } = createRelayBench();
    const dead = joinAgent(relay, "dead", { pongs: false });
    const alive = joinAgent(relay, "alive");
    for (let second = 0; second < 120; second++) {
      clock.advance(1_000);
      await settle();
    }
    expect(dead.closed).toEqual(["pong_missed"]);
    expect(alive.closed).toEqual([]);
    expect(alive.pings).toBeGreaterThan(2);
    expect(relay.stats().agents).toBe(1);
  });

  test("a busy v1 agent is never pinged, as it may answer nothing while it works", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", { pongs: false });
    const asked = ask("q");
    clock.advance(119_000);
    expect([agent.pings, agent.closed.length]).toEqual([0, 0]);
    agent.answer();
    expect(await asked).toBe("echo: q");
  });

  test("each dead agent delays an ask by one second, and does not count as a try", async () => {
    const { relay, ask, clock } = createRelayBench();
    for (const id of ["1", "2", "3", "4"]) joinAgent(relay, id, { pongs: false });
    const alive = joinAgent(relay, "alive");
    clock.advance(5_000);
    const asked = ask("q");
    for (let n = 0; n < 4; n++) {
      expect(alive.asks.length).toBe(0);
      clock.advance(1_000);
      await settle();
    }
    alive.answer();
    expect(await asked).toBe("echo: q");
  });

  test("a follow-up fails with ping_failed after the grace time when its agent answers no ping", async () => {
    const { relay, ask, clock } = createRelayBench();
    joinAgent(relay, "a", { pongs: false });
    clock.advance(5_000);
    const asked = ask("q", { pin: "a" });
    clock.advance(5_000);
    expect(await peek(asked)).toBe("open");
    clock.advance(10_000);
    expect(await asked).toBe("ping_failed");
  });
});

describe("a caller goes away", () => {
  test("a waiting ask leaves the queue when its caller goes away", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    void ask("running");
    const caller = new AbortController();
    const waiting = ask("waiting", { signal: caller.signal });
    caller.abort();
    expect(await waiting).toBe("caller_gone");
    agent.answer();
    expect(agent.asks.length).toBe(0);
    expect(relay.stats()).toMatchObject({ asks_waiting: 0, asks_running: 0, slots_in_use: 0 });
  });

  test("when the caller of a v1 ask goes away, its slot stays in use until the agent answers, and the answer is dropped", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const caller = new AbortController();
    const gone = ask("gone", { signal: caller.signal });
    caller.abort();
    expect(await gone).toBe("caller_gone");
    const next = ask("next");
    expect(agent.asks.map(({ content }) => content)).toEqual(["gone"]);
    agent.answer();
    expect(relay.stats().answers_dropped).toBe(1);
    agent.answer();
    expect(await next).toBe("echo: next");
  });

  test("the slot of an abandoned ask that is never answered is free after the time limit", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const caller = new AbortController();
    void ask("gone", { signal: caller.signal });
    caller.abort();
    clock.advance(120_000);
    const asked = ask("next");
    await settle();
    agent.asks.shift();
    agent.answer();
    expect(await asked).toBe("echo: next");
  });

  test("an abandoned ask is not tried again when its agent is lost", async () => {
    const { relay, ask, clock } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const caller = new AbortController();
    void ask("gone", { signal: caller.signal });
    caller.abort();
    a.link.gone();
    expect(b.asks.length).toBe(0);
    b.link.gone();
    expect(clock.pending()).toBe(0);
  });

  test("an ask whose caller went away before it began never reaches an agent", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    expect(await ask("q", { signal: AbortSignal.abort() })).toBe("caller_gone");
    expect(agent.asks.length).toBe(0);
  });
});
