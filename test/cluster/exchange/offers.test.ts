import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { joinAgent } from "../../support/transport.ts";
import { createExchangeScene, ticket } from "./exchange-scene.ts";

const OFFER = {
  ...{ protocol: "v2" as const, models: [{ id: "m" }], endpoints: ["chat/completions" as const], tags: [] },
  ...{ priority: 0, slots: 1, free: 1, agents: 1 },
};

describe("what the agents of other nodes could do", () => {
  test("equal agents make one group, whose changes reach the other nodes", () => {
    const { clock, add } = createExchangeScene();
    const [a, b] = [add("a"), add("b")];
    for (const id of ["x", "y"]) joinAgent(a.relay, id, { protocol: "v2", slots: 2 });
    joinAgent(a.relay, "z", { protocol: "v2", models: ["n"] });
    clock.advance(100);
    const groups = a.frames("state").flatMap(({ offers }) => offers);
    expect(groups.map(({ models, slots, free, agents }) => [models[0]?.id, slots, free, agents])).toEqual([
      ["m", 4, 4, 2],
      ["n", 1, 1, 1],
    ]);
    expect([b.exchange.offersModel("m"), b.exchange.offersModel("n"), b.exchange.offersModel("o")]).toEqual([
      true,
      true,
      false,
    ]);
    expect([...b.exchange.models([])].map(({ id }) => id)).toEqual(["m", "n"]);
    expect(b.exchange.offersModel("m", true)).toBe(false);
  });

  test("a node that joins later learns of every group", () => {
    const { clock, add } = createExchangeScene();
    const a = add("a");
    for (let index = 0; index < 1_200; index++)
      joinAgent(a.relay, `x${index}`, { protocol: "v2", models: [`m${index}`] });
    clock.advance(100);
    const b = add("b");
    clock.advance(100);
    expect([...b.exchange.models([])]).toHaveLength(1_200);
  });

  test("an ask at a node that starts waits until the node knows the agents of the others", async () => {
    const { add, pass } = createExchangeScene();
    const a = add("a");
    for (let index = 0; index < 1_200; index++)
      joinAgent(a.relay, `x${index}`, { protocol: "v2", models: [`m${index}`] });
    await pass(100);
    const b = add("b");
    b.exchange.start();
    void b.ask("hi", { model: "m1" });
    const hopeless = b.ask("hi", { model: "none" });
    expect(b.exchange.isLearning).toBe(true);
    await pass(1_000, 10);
    expect(a.frames("offer")).toHaveLength(1);
    expect(b.exchange.isLearning).toBe(true);
    await pass(200, 10);
    expect(b.exchange.isLearning).toBe(false);
    expect(await hopeless.outcome).toBe("no_agent");
  });

  test("a node that starts waits for a node that tells nothing for 5 s at most", async () => {
    const { cluster, add, pass } = createExchangeScene();
    cluster.add("mute", () => [{ frames: {} }]);
    const b = add("b");
    b.exchange.start();
    const asked = b.ask("hi", { model: "m" });
    await pass(4_900, 100);
    expect(b.exchange.isLearning).toBe(true);
    await pass(200, 100);
    expect(b.exchange.isLearning).toBe(false);
    expect(await asked.outcome).toBe("no_agent");
  });

  test("an agent that leaves, pauses or changes its offer is no longer counted for what it offered", () => {
    const { clock, add } = createExchangeScene();
    const [a, b] = [add("a"), add("b")];
    const agent = joinAgent(a.relay, "x", { protocol: "v2" });
    clock.advance(100);
    agent.link.update({ models: [{ id: "n" }] });
    clock.advance(100);
    expect([b.exchange.offersModel("m"), b.exchange.offersModel("n")]).toEqual([false, true]);
    agent.link.gone();
    clock.advance(100);
    expect([...b.exchange.models([])]).toEqual([]);
  });

  test("taken and freed slots reach the others every 20 ms at most, in one frame", () => {
    const { clock, add } = createExchangeScene();
    const [a] = [add("a"), add("b")];
    const agent = joinAgent(a.relay, "x", { protocol: "v2", slots: 50 });
    clock.advance(100);
    for (let count = 0; count < 40; count++) {
      void a.relay.ask(
        {
          principal: { kind: "admin" },
          origin: { requestId: "r", surface: "test" },
          work: { model: "m", requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }] },
        },
        new AbortController().signal,
      );
      clock.advance(1);
    }
    const frames = a.frames("free");
    expect(frames.length).toBeLessThanOrEqual(3);
    expect(Object.values(frames.at(-1)?.free ?? {})[0]).toBeLessThan(20);
    for (const _ of [...agent.asks]) agent.answer();
    clock.advance(20);
    expect(Object.values(a.frames("free").at(-1)?.free ?? {})).toEqual([50]);
  });

  test("a model for which an agent failed too often is not offered until the agent is asked again", () => {
    const { clock, add } = createExchangeScene({ limits: { agentFailuresMax: 1 } });
    const [a, b] = [add("a"), add("b")];
    const agent = joinAgent(a.relay, "x", { protocol: "v2", slots: 2 });
    clock.advance(100);
    a.relay
      .ask(
        {
          principal: { kind: "admin" },
          origin: { requestId: "r", surface: "test" },
          work: { model: "m", requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }] },
        },
        new AbortController().signal,
      )
      .catch(() => {});
    agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
    clock.advance(100);
    expect(b.exchange.offersModel("m")).toBe(false);
    clock.advance(10_000);
    expect(b.exchange.offersModel("m")).toBe(true);
  });
});

describe("hope", () => {
  const setUp = () => {
    const scene = createExchangeScene();
    const [a, b] = [scene.add("a"), scene.add("b")];
    const agent = joinAgent(a.relay, "x", { protocol: "v2", preference: { tags: ["gpu"] } });
    scene.clock.advance(100);
    return { ...scene, a, b, agent, hope: (own = {}) => b.exchange.hopeMs(ticket(own)) };
  };

  test("there is hope while an agent of another node could serve the ask, busy or not", () => {
    const { hope } = setUp();
    expect(hope()).toBe(Number.POSITIVE_INFINITY);
    expect(hope({ tags: [["gpu", "cpu"]] })).toBe(Number.POSITIVE_INFINITY);
    expect(hope({ model: undefined, models: ["m"] })).toBe(Number.POSITIVE_INFINITY);
    expect([hope({ model: "n" }), hope({ tags: [["cpu"]] }), hope({ models: ["n"] })]).toEqual([0, 0, 0]);
    expect(hope({ requests: [{ endpoint: "embeddings", stream: false }] })).toBe(0);
    expect(hope({ requests: [], isForV1: true })).toBe(0);
  });

  test("an agent that has left may come back for a while, wherever", () => {
    const { clock, agent, hope } = setUp();
    agent.link.gone();
    clock.advance(1_000);
    expect(hope()).toBeWithin(8_000, 9_100);
    expect(hope({ isRepeatable: false })).toBe(0);
    clock.advance(10_000);
    expect(hope()).toBeLessThanOrEqual(0);
  });

  test("the agents of a lost node may come back for a while", () => {
    const { clock, cluster, hope } = setUp();
    cluster.remove("a");
    clock.advance(1_000);
    expect(hope()).toBe(9_000);
  });

  test("an ask for one agent has hope while that agent is connected, and for a while after it has left", () => {
    const { clock, agent, hope } = setUp();
    expect([hope({ pin: "x" }), hope({ pin: "y" })]).toEqual([Number.POSITIVE_INFINITY, 0]);
    expect(hope({ pin: "x", model: "n" })).toBe(0);
    agent.link.gone();
    clock.advance(1_000);
    expect(hope({ pin: "x" })).toBeWithin(8_000, 9_100);
  });
});

describe("hostile states", () => {
  const flood = (frame: Extract<NodeFrame, { kind: "state" }>, times = 1) => {
    const scene = createExchangeScene();
    const [a, b] = [scene.add("a"), scene.add("b")];
    for (let count = 0; count < times; count++) a.link.send("b", frame);
    scene.clock.advance(10);
    return { ...scene, a, b };
  };

  test("20,000 groups are taken, more are not", () => {
    const offers = Array.from({ length: 20_000 }, (_, index) => ({ ...OFFER, key: `k${index}` }));
    const { clock, a, b } = flood({ kind: "state", offers, waiting: 0, draining: false });
    const more = { ...OFFER, key: "one", models: [{ id: "n" }] };
    a.link.send("b", { kind: "state", offers: [more], waiting: 0, draining: false });
    clock.advance(10);
    expect([b.exchange.offersModel("m"), b.exchange.offersModel("n")]).toEqual([true, false]);
    expect(b.exchange.hopeMs(ticket({ tags: [["x"]] }))).toBe(0);
  });

  test("free slots of unknown groups are ignored, and a group never has more than its slots", () => {
    const { clock, a, b } = flood({ kind: "state", offers: [], waiting: 0, draining: false });
    a.link.sendAll({ kind: "free", free: { nobody: 7, __proto__: 3 } });
    clock.advance(10);
    expect(b.exchange.hopeMs(ticket())).toBe(0);
  });

  test("a state that is sent again and again changes nothing", () => {
    const { b } = flood(
      { kind: "state", all: true, offers: [{ ...OFFER, key: "k" }], waiting: 0, draining: false },
      200,
    );
    expect([...b.exchange.models([])]).toHaveLength(1);
  });
});
