import { describe, expect, test } from "bun:test";
import { createRelayBench, peek, settle } from "../support/relay.ts";
import { answerTo, type FakeAgent, joinAgent, tryJoinAgent } from "../support/transport.ts";

const FRESH = {
  agents: 0,
  asks_waiting: 0,
  asks_running: 0,
  slots_in_use: 0,
  frames_ignored: 0,
  answers_dropped: 0,
};

describe("asks and slots", () => {
  test("100 callers of one agent all get their own answers, one at a time", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asks = Array.from({ length: 100 }, (_, n) => ask(`q${n}`));
    for (let n = 0; n < 100; n++) {
      expect(agent.asks.length).toBe(1);
      agent.answer();
    }
    expect(await Promise.all(asks)).toEqual(Array.from({ length: 100 }, (_, n) => `echo: q${n}`));
    expect(relay.stats()).toEqual({ ...FRESH, agents: 1 });
    agent.link.gone();
    expect(clock.pending()).toBe(0);
  });

  test("two asks at the same moment never share a one-slot agent", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const [first, second] = [ask("1"), ask("2")];
    expect(agent.asks.map(({ content }) => content)).toEqual(["1"]);
    agent.answer();
    expect(agent.asks.map(({ content }) => content)).toEqual(["2"]);
    agent.answer();
    expect(await Promise.all([first, second])).toEqual(["echo: 1", "echo: 2"]);
  });

  test("answers that come out of order reach the right callers", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { slots: 3 });
    const asks = ["1", "2", "3"].map((content) => ask(content));
    const [one, two, three] = agent.asks.map(({ slot }) => slot) as [string, string, string];
    agent.answer({ slot: three });
    agent.answer({ slot: one });
    agent.answer({ slot: two });
    expect(await Promise.all(asks)).toEqual(["echo: 1", "echo: 2", "echo: 3"]);
  });

  test("the least recently used free agent is taken first, and unused ones before all others", async () => {
    const { relay, ask } = createRelayBench();
    const agents = ["a", "b", "c"].map((id) => joinAgent(relay, id));
    const order: string[] = [];
    const round = () => {
      void ask("q");
      const taken = agents.find(({ asks }) => asks.length > 0) as FakeAgent;
      order.push(taken.id);
      taken.answer();
    };
    for (let n = 0; n < 5; n++) round();
    agents.push(joinAgent(relay, "d"));
    for (let n = 0; n < 2; n++) round();
    expect(order).toEqual(["a", "b", "c", "a", "b", "d", "c"]);
  });

  test("an agent with a lower share of its slots in use is preferred", async () => {
    const { relay, ask } = createRelayBench();
    const wide = joinAgent(relay, "wide", { slots: 4 });
    const narrow = joinAgent(relay, "narrow", { slots: 2 });
    for (let n = 0; n < 6; n++) void ask(`q${n}`);
    expect([wide.asks.length, narrow.asks.length]).toEqual([4, 2]);
    wide.answer();
    narrow.answer();
    void ask("next");
    expect([wide.asks.length, narrow.asks.length]).toEqual([3, 2]);
  });

  test("a frame for an unknown slot changes nothing", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asked = ask("q");
    agent.link.done("nobody's", { kind: "v1", answer: answerTo("wrong") });
    expect(await peek(asked)).toBe("open");
    agent.answer();
    expect(await asked).toBe("echo: q");
  });

  test("answering twice gives one answer and frees one slot", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const [first, second] = [ask("1"), ask("2")];
    const slot = agent.asks[0]?.slot ?? "";
    agent.answer();
    agent.link.done(slot, { kind: "v1", answer: { ...answerTo(""), content: "again" } });
    expect(await first).toBe("echo: 1");
    expect(await peek(second)).toBe("open");
    agent.answer();
    expect(await second).toBe("echo: 2");
  });
});

describe("an empty pool", () => {
  test("an ask fails at once without agents, and the agent that registers next serves the next ask", async () => {
    const { relay, ask, clock } = createRelayBench();
    expect(await ask("too early")).toBe("no_agent");
    const agent = joinAgent(relay, "a");
    const asked = ask("q");
    agent.answer();
    expect(await asked).toBe("echo: q");
    agent.link.gone();
    expect(clock.pending()).toBe(0);
  });

  test("when the last agent leaves, waiting asks wait for its return within the grace time", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asks = [ask("1"), ask("2"), ask("3")];
    agent.link.gone();
    clock.advance(9_000);
    expect(await peek(Promise.race(asks))).toBe("open");
    const again = joinAgent(relay, "a");
    for (let n = 0; n < 3; n++) again.answer();
    expect(await Promise.all(asks)).toEqual(["echo: 1", "echo: 2", "echo: 3"]);
  });

  test("when the last agent does not come back, every waiting ask fails after the grace time", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asks = [ask("1"), ask("2"), ask("3")];
    agent.link.gone();
    clock.advance(10_000);
    expect(await Promise.all(asks)).toEqual(["agent_lost", "no_agent", "no_agent"]);
    expect(relay.stats()).toEqual(FRESH);
    expect(clock.pending()).toBe(0);
    expect(await ask("later")).toBe("no_agent");
  });
});

describe("identity", () => {
  test("a newcomer from the same address takes over an id, with the ask that its holder had", async () => {
    const { relay, ask } = createRelayBench();
    const old = joinAgent(relay, "a");
    const asked = ask("q");
    const fresh = joinAgent(relay, "a");
    expect(old.closed).toEqual(["replaced"]);
    expect(fresh.asks.length).toBe(1);
    old.link.gone();
    fresh.answer();
    expect(await asked).toBe("echo: q");
    expect(relay.stats().agents).toBe(1);
  });

  const MAIN = { key: { id: null, name: "main" } };
  const OWN = { key: { id: "k1", name: "gpu box" } };
  const OTHER = { key: { id: "k2", name: "laptop" } };
  const KEYLESS = {};

  test.each([
    [
      "no key",
      KEYLESS,
      [
        ["the main key", MAIN],
        ["a key of its own", OWN],
      ],
    ],
    [
      "the main key",
      MAIN,
      [
        ["no key", KEYLESS],
        ["a key of its own", OWN],
      ],
    ],
    [
      "a key of its own",
      OWN,
      [
        ["no key", KEYLESS],
        ["the main key", MAIN],
        ["another key", OTHER],
      ],
    ],
  ] as const)(
    "an id that is in use with %s does not pass to a newcomer with another key or none",
    (_, holder, others) => {
      for (const [who, newcomer] of others) {
        const { relay } = createRelayBench();
        const { closed } = joinAgent(relay, "a", holder);
        expect([who, tryJoinAgent(relay, "a", newcomer)]).toEqual([who, undefined]);
        expect(closed).toEqual([]);
      }
    },
  );

  test("an id in use passes to another address with the same key or the id's secret, but not without a key", () => {
    for (const [who, newcomer, passes] of [
      [MAIN, MAIN, true],
      [OWN, OWN, true],
      [KEYLESS, KEYLESS, false],
      [KEYLESS, { resumed: true }, true],
      [OWN, { ...OWN, resumed: true }, true],
    ] as const) {
      const { relay } = createRelayBench();
      const holder = joinAgent(relay, "a", { ...who, address: "10.0.0.1" });
      const joined = tryJoinAgent(relay, "a", { ...newcomer, address: "10.0.0.2" });
      expect([who, newcomer, joined !== undefined]).toEqual([who, newcomer, passes]);
      expect(holder.closed).toEqual(passes ? ["replaced"] : []);
    }
  });

  test("an answer from a replaced connection is ignored", async () => {
    const { relay, ask } = createRelayBench();
    const old = joinAgent(relay, "a");
    const asked = ask("q");
    const fresh = joinAgent(relay, "a");
    old.answer();
    expect(await peek(asked)).toBe("open");
    fresh.answer();
    expect(await asked).toBe("echo: q");
  });
});

describe("drain", () => {
  test("during a drain running and waiting asks finish, and new ones are refused", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const [running, waiting] = [ask("1"), ask("2")];
    const drained = relay.drain();
    expect(await ask("3")).toBe("draining");
    agent.answer();
    agent.answer();
    await drained;
    expect(await Promise.all([running, waiting])).toEqual(["echo: 1", "echo: 2"]);
  });

  test("closing fails the open asks, closes the agents' connections and leaves no timer", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asks = [ask("1"), ask("2")];
    void relay.drain();
    relay.close();
    expect(await Promise.all(asks)).toEqual(["draining", "draining"]);
    expect(agent.closed).toEqual(["server_draining"]);
    expect(relay.stats()).toEqual(FRESH);
    expect(clock.pending()).toBe(0);
    await settle();
  });

  test("an idle relay is drained at once", async () => {
    const { relay } = createRelayBench();
    joinAgent(relay, "a");
    await relay.drain();
  });
});
