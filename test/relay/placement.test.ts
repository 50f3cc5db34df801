import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;
const M = { model: "m" };

const counts = (...agents: FakeAgent[]) => agents.map(({ asks }) => asks.length);
const contents = ({ asks }: FakeAgent) => asks.map(({ content }) => content);

describe("preference", () => {
  test("agents of a higher priority are used first as long as they have room", () => {
    const { relay, ask } = createRelayBench();
    const api = joinAgent(relay, "api", { ...V2, slots: 9 });
    const laptop = joinAgent(relay, "laptop", { ...V2, preference: { priority: 5 } });
    const desktop = joinAgent(relay, "desktop", { ...V2, slots: 2, preference: { priority: 10 } });
    for (let n = 0; n < 4; n++) void ask(`${n}`, M);
    expect(counts(desktop, laptop, api)).toEqual([2, 1, 1]);
    desktop.answer();
    void ask("4", M);
    expect(counts(desktop, laptop, api)).toEqual([2, 1, 1]);
  });

  test("agents of equal priority get asks in proportion to their weights", () => {
    const { relay, ask } = createRelayBench();
    const had = new Map<string, number>();
    const join = (id: string, weight: number) => {
      const agent: FakeAgent = joinAgent(relay, id, {
        ...V2,
        preference: { weight },
        onAsk: () => {
          had.set(id, (had.get(id) ?? 0) + 1);
          queueMicrotask(() => agent.answer());
        },
      });
    };
    join("light", 1);
    join("heavy", 3);
    const run = async () => {
      for (let n = 0; n < 400; n++) await ask("q", M);
    };
    return run().then(() => {
      expect(Math.abs((had.get("heavy") ?? 0) - 300)).toBeLessThan(5);
      expect((had.get("light") ?? 0) + (had.get("heavy") ?? 0)).toBe(400);
    });
  });

  test("a higher weight counts at once, however few asks the agent got before", async () => {
    const { relay, ask } = createRelayBench();
    const had: string[] = [];
    const join = (id: string, weight: number) => {
      const onAsk = () => {
        had.push(id);
        queueMicrotask(() => agent.answer());
      };
      const agent: FakeAgent = joinAgent(relay, id, { ...V2, preference: { weight }, onAsk });
      return agent;
    };
    const light = join("light", Number.MIN_VALUE);
    join("other", 1);
    join("third", 1);
    for (let n = 0; n < 9; n++) await ask("q", M);
    expect(had.toSorted().join()).toBe("light,other,other,other,other,third,third,third,third");
    light.link.prefer({ weight: 10 });
    had.length = 0;
    for (let n = 0; n < 12; n++) await ask("q", M);
    expect(had.filter((id) => id === "light").length).toBeGreaterThanOrEqual(8);
  });

  test("a changed preference is in force at once, for asks that wait too", async () => {
    const { relay, ask } = createRelayBench();
    const one = joinAgent(relay, "one", V2);
    const two = joinAgent(relay, "two", { ...V2, preference: { tags: ["gpu"] } });
    two.link.prefer({ priority: 1 });
    void ask("first", M);
    expect(counts(one, two)).toEqual([0, 1]);
    two.answer();
    const home = ask("at home", { ...M, tags: [["home"]] });
    expect(await home).toBe("no_agent");
    const gpu = ask("on a gpu", { ...M, tags: [["gpu"]] });
    expect(await gpu).toBe("no_agent");
    two.link.prefer({ tags: ["gpu", "home"] });
    void ask("at home", { ...M, tags: [["home", "office"], ["gpu"]] });
    expect(contents(two)).toEqual(["at home"]);
  });
});

describe("tags", () => {
  test("an ask goes only to agents with a tag of each list, and waits for them though others are free", () => {
    const { relay, ask } = createRelayBench();
    const free = joinAgent(relay, "free", V2);
    const home = joinAgent(relay, "home", { ...V2, preference: { tags: ["home"] } });
    for (const content of ["1", "2"]) void ask(content, { ...M, tags: [["home", "office"]] });
    expect([contents(free), contents(home)]).toEqual([[], ["1"]]);
    home.answer();
    expect([contents(free), contents(home)]).toEqual([[], ["2"]]);
  });

  test("an ask does not wait for the return of an agent without the tag", async () => {
    const { relay, ask } = createRelayBench();
    const other = joinAgent(relay, "other", { ...V2, preference: { tags: ["office"] } });
    const home = joinAgent(relay, "home", { ...V2, preference: { tags: ["home"] } });
    home.link.gone();
    other.link.gone();
    const tags = [["home"]];
    expect(await peek(ask("q", { ...M, tags }))).toBe("open");
    expect(await peek(ask("q", { ...M, tags: [["gpu"]] }))).toBe("no_agent");
    expect(await peek(ask("q", { ...M, tags, pin: "other" }))).toBe("conversation_agent_gone");
  });

  test("a refusal names the tags that no connected agent has", async () => {
    const { relay, askWhole } = createRelayBench();
    joinAgent(relay, "a", V2);
    const cases: [string[][], string][] = [
      [[["home"]], "tag home"],
      [[["home", "office"]], "tag home or office"],
      [[["home"], ["gpu"]], "tags home and gpu"],
      [[["home", "office"], ["gpu"]], "tags home or office, and gpu"],
    ];
    for (const [tags, named] of cases) {
      const error = await askWhole("q", { ...M, tags }).catch((reason) => reason);
      expect(error).toBeInstanceOf(AppError);
      expect(error.hint).toBe(`No connected agent with the ${named} offers the model asked for.`);
    }
  });
});

describe("classes and owners", () => {
  test("asks of a higher class that wait have more turns, and low ones are not starved", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    void ask("first", M);
    for (const priority of ["low", "normal", "high"] as const)
      for (let n = 0; n < 60; n++) void ask(priority, { ...M, priority, user: priority });
    const had: Record<string, number> = {};
    for (let n = 0; n < 66; n++) {
      const [{ content } = { content: "" }] = agent.asks;
      had[content] = (had[content] ?? 0) + 1;
      agent.answer();
    }
    expect(had).toEqual({ first: 1, high: 40, normal: 20, low: 5 });
  });

  test("the asks of its owner come first on an agent, also before higher classes", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, preference: { ownerId: "ann" } });
    void ask("first", M);
    void ask("high", { ...M, user: "bob", priority: "high" });
    void ask("own", { ...M, user: "ann", priority: "low" });
    agent.answer();
    expect(contents(agent)).toEqual(["own"]);
  });

  test("users take turns at an agent also if they wait for different models", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, models: ["m", "n"] });
    for (let n = 0; n < 5; n++) void ask(`greedy ${n}`, { model: "m", user: "greedy" });
    for (let n = 0; n < 2; n++) void ask(`modest ${n}`, { model: "n", user: "modest" });
    const order: string[] = [];
    for (let n = 0; n < 7; n++) {
      order.push(contents(agent)[0] ?? "");
      agent.answer();
    }
    expect(order.indexOf("modest 1")).toBeLessThanOrEqual(4);
  });

  test("a user with 200 asks waiting delays another user's first by one turn only", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    for (let n = 0; n < 201; n++) void ask(`greedy ${n}`, { user: "greedy" });
    void ask("modest", { user: "modest" });
    agent.answer();
    agent.answer();
    expect(contents(agent)).toEqual(["modest"]);
  });

  test("a full queue of one user and a full common queue are refused with different errors", async () => {
    const { relay, ask } = createRelayBench({ queueMax: 3, queueUserMax: 2 });
    joinAgent(relay, "a");
    for (let n = 0; n < 3; n++) void ask(`${n}`, { user: "one" });
    expect(await ask("4th", { user: "one" })).toBe("user_queue_full");
    void ask("1", { user: "two" });
    expect(await ask("2", { user: "two" })).toBe("queue_full");
    expect(relay.stats()).toMatchObject({ asks_waiting: 3, asks_running: 1 });
  });

  test("the refusal of an ask says how long it would have had to wait", async () => {
    const { relay, ask, askWhole, clock } = createRelayBench({ queueMax: 2 });
    const agent = joinAgent(relay, "a", V2);
    const measured = ask("measured", M);
    clock.advance(4_000);
    agent.answer();
    await measured;
    for (const content of ["1", "2", "3"]) void ask(content, M);
    const error = await askWhole("4", M).catch((reason) => reason);
    expect([error.code, error.retryAfterMs]).toEqual(["queue_full", 12_000]);
  });
});

describe("fallback models", () => {
  test("an ask for a model that nobody offers is answered by the first fallback that is offered", async () => {
    const { relay, askWhole } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, models: ["n", "o"] });
    const asked = askWhole("q", { model: "m", fallbacks: ["none", "n", "o"] });
    agent.answer();
    expect(await asked).toMatchObject({ agent: "a", model: "n" });
  });

  test("an ask that all agents of its model refuse goes on with the fallback, also at one of these agents", async () => {
    const { relay, askWhole } = createRelayBench();
    const records: unknown[] = [];
    const agent = joinAgent(relay, "a", { ...V2, models: ["m", "n"] });
    const asked = askWhole("q", { model: "m", fallbacks: ["n"], onSent: (sent) => records.push(sent) });
    const [{ slot = "" } = {}] = agent.asks.splice(0);
    agent.link.fail(slot, new AppError("agent_failed"), true);
    expect(contents(agent)).toEqual(["q"]);
    agent.answer();
    expect(await asked).toMatchObject({ model: "n" });
    expect(records).toMatchObject([
      { model: "m", tries: 1 },
      { model: "n", tries: 2 },
    ]);
  });

  test("without an offered fallback an ask fails with the failure of its own model", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const asked = ask("q", { model: "m", fallbacks: ["none"] });
    const [{ slot = "" } = {}] = agent.asks.splice(0);
    agent.link.fail(slot, new AppError("agent_failed"), true);
    expect(await asked).toBe("agent_failed");
  });

  test("an ask whose only agent has left goes to the fallback at once, and waits for the agent without one", async () => {
    const { relay, ask } = createRelayBench();
    const only = joinAgent(relay, "only", V2);
    const other = joinAgent(relay, "other", { ...V2, models: ["n"] });
    only.link.gone();
    const waiting = ask("waits", { model: "m" });
    void ask("falls back", { model: "m", fallbacks: ["n"] });
    expect(contents(other)).toEqual(["falls back"]);
    expect(await peek(waiting)).toBe("open");
  });

  test("a busy model is waited for, not replaced", async () => {
    const { relay, ask } = createRelayBench();
    joinAgent(relay, "busy", V2);
    const other = joinAgent(relay, "other", { ...V2, models: ["n"] });
    void ask("first", { model: "m" });
    const asked = ask("second", { model: "m", fallbacks: ["n"] });
    expect(await peek(asked)).toBe("open");
    expect(counts(other)).toEqual([0]);
  });
});

describe("asks that wait", () => {
  test("a caller learns how many asks are before theirs, and the relay lists those of a user or of all", () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const before: (() => number)[] = [];
    const onWaiting = (asksBefore: () => number) => before.push(asksBefore);
    for (const user of ["one", "two", "one", "one"]) void ask("q", { ...M, user, onWaiting });
    expect(before.map((count) => count())).toEqual([0, 1, 2]);
    clock.advance(1_500);
    expect(relay.waitingAsks({ kind: "user", id: "one" })).toMatchObject([
      { model: "m", priority: "normal", waitedMs: 1_500, requestId: "req" },
      { model: "m" },
    ]);
    expect(relay.waitingAsks().map(({ asksBefore }) => asksBefore())).toEqual([0, 1, 2]);
    expect(relay.waitingAsks()).toHaveLength(3);
    agent.answer();
    expect(before.map((count) => count())).toEqual([0, 0, 1]);
  });

  test("asks for another model count if they wait for the same agent, and not if they wait for others", () => {
    const { relay, ask } = createRelayBench();
    joinAgent(relay, "a", { ...V2, models: ["m", "n"] });
    joinAgent(relay, "b", { ...V2, models: ["o"] });
    for (const model of ["m", "o"]) void ask("runs", { model });
    for (let user = 0; user < 10; user++) void ask("q", { model: "m", user: `${user}` });
    for (let n = 0; n < 3; n++) void ask("q", { model: "m", user: "greedy" });
    void ask("q", { model: "n", user: "last" });
    void ask("q", { model: "o", user: "elsewhere" });
    const before = new Map(relay.waitingAsks().map(({ model, asksBefore }) => [model, asksBefore()]));
    expect([before.get("n"), before.get("o")]).toEqual([11, 0]);
  });
});
