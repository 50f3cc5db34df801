import { describe, expect, test } from "bun:test";
import type { TicketNode } from "../../../src/relay/peers.ts";
import type { Transport } from "../../../src/relay/types.ts";
import { joinAgent } from "../../support/transport.ts";
import { ask, createBench, joinV2 } from "./bench.ts";

describe("rule 1: an agent of the same node comes first", () => {
  test("a new ask takes an agent of its own node if one has room, and nobody is asked", async () => {
    const { a, b, pass } = createBench();
    joinV2(b.relay, "far");
    const near = joinV2(a.relay, "near");
    const one = ask(a, "q");
    near.answer();
    await pass(10);
    expect(one).toMatchObject({ outcome: "200", agent: "near" });
    expect(a.asked).toEqual({ seek: [], forget: [] });
  });

  test("an ask that waits elsewhere longer gets the slot before a new one of the node itself", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    ask(b, "running");
    const far = ask(a, "waits elsewhere", { user: "u1" });
    await pass(5);
    const near = ask(b, "new", { user: "u2" });
    agent.answer();
    await pass(5);
    expect([far.sent, near.sent]).toEqual([["b1"], []]);
  });
});

describe("rule 2: an ask that waits is sought elsewhere", () => {
  test("an ask without an agent of its own node is answered by another node's, stream and all", async () => {
    const { a, b, pass, records } = createBench();
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "hello");
    expect(one.outcome).toBe("open");
    await pass(5);
    agent.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "200", deltas: "hello", agent: "b1", sent: ["b1"] });
    expect(records.map(({ nodeId }) => nodeId)).toEqual(["n1"]);
  });

  test("a v1 agent of another node answers, too", async () => {
    const { a, b, pass } = createBench();
    const agent = joinAgent(b.relay, "v1");
    const one = ask(a, "hello", { model: "" });
    await pass(5);
    agent.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "echo: hello", agent: "v1" });
  });

  test("each wait has one ticket, which is forgotten once", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    const controller = new AbortController();
    ask(a, "one");
    const gone = ask(a, "two", { signal: controller.signal });
    await pass(5);
    controller.abort();
    agent.answer();
    await pass(5);
    expect(gone.outcome).toBe("caller_gone");
    const [one, two] = a.asked.seek;
    expect(a.asked.seek.length).toBe(2);
    expect(a.asked.forget).toEqual([
      { ticketId: one?.id ?? "", isTaken: true },
      { ticketId: two?.id ?? "", isTaken: false },
    ]);
    expect(b.relay.lendingStats()).toMatchObject({ tickets: 0, slotsLent: 0 });
  });

  test("a ticket has no content", async () => {
    const { a, b, pass } = createBench();
    joinV2(b.relay, "b1");
    ask(a, "a secret");
    await pass(5);
    expect(JSON.stringify(a.asked.seek)).not.toContain("secret");
  });
});

describe("rule 3: a free slot is held for a ticket", () => {
  test("nothing is sent to the agent while the slot is held, and nobody else gets it", async () => {
    const { a, b, pass, delay } = createBench();
    const agent = joinV2(b.relay, "b1");
    delay.ms = 500;
    const far = ask(a, "far");
    await pass(600, 100);
    const near = ask(b, "near");
    expect(agent.asks).toEqual([]);
    expect(b.relay.stats().slots_in_use).toBe(1);
    await pass(1_000, 100);
    expect(agent.asks.map(({ content }) => content)).toEqual(["far"]);
    agent.answer();
    await pass(1_000, 100);
    expect([far.outcome, near.sent]).toEqual(["200", ["b1"]]);
  });

  test("a slot that is not taken within 2 s is free, and the ask is served though its node was late", async () => {
    const { a, b, pass, delay } = createBench();
    const agent = joinV2(b.relay, "b1", { pongs: true });
    delay.ms = 1_500;
    const late = ask(a, "late");
    await pass(3_600, 100);
    expect(b.relay.lendingStats().offers.expired).toBe(1);
    expect(b.relay.stats().slots_in_use).toBe(0);
    delay.ms = 1;
    await pass(6_000, 100);
    agent.answer();
    await pass(10);
    expect(late).toMatchObject({ outcome: "200", deltas: "late" });
    expect(b.relay.lendingStats()).toMatchObject({ tickets: 0, slotsLent: 0 });
  });
});

describe("rule 4: an offer is used or returned", () => {
  /** Two nodes with a busy agent each, and asks of a third that wait for both. */
  async function createRivals(asks: { content: string; model?: string }[]) {
    const bench = createBench(3);
    const { a, b, c, pass } = bench;
    const agents = [joinV2(b.relay, "b1", { models: ["m", "n"] }), joinV2(c.relay, "c1", { models: ["m"] })];
    for (const node of [b, c]) ask(node, "runs");
    const waiting = asks.map(({ content, model = "m" }) => ask(a, content, { model }));
    await pass(5);
    for (const agent of agents) agent.answer();
    await pass(5);
    return { ...bench, agents, waiting };
  }

  test("the second of two offers for one ask is used for the next ask of the node", async () => {
    const { agents, waiting, a } = await createRivals([{ content: "one" }, { content: "two" }]);
    expect(agents.flatMap(({ asks }) => asks.map(({ content }) => content)).sort()).toEqual(["one", "two"]);
    expect(waiting.map(({ sent }) => sent.length)).toEqual([1, 1]);
    expect(a.relay.lendingStats().offers).toEqual({ run: 1, substituted: 1, given: 0, expired: 0 });
  });

  test("an offer that no ask needs is returned, and the slot is free at once", async () => {
    const { agents, waiting, a, b, c } = await createRivals([{ content: "one" }]);
    expect(agents.flatMap(({ asks }) => asks).length).toBe(1);
    expect(waiting[0]?.sent.length).toBe(1);
    expect(a.relay.lendingStats().offers).toMatchObject({ run: 1, given: 1 });
    expect(b.relay.lendingStats().slotsLent + c.relay.lendingStats().slotsLent).toBe(1);
  });

  test("an offer is not used for an ask that the agent cannot do", async () => {
    const { waiting, a } = await createRivals([{ content: "one" }, { content: "two", model: "none" }]);
    expect(waiting[1]).toMatchObject({ sent: [], outcome: "no_agent" });
    expect(a.relay.lendingStats().offers).toMatchObject({ run: 1, given: 1 });
  });

  test("an offer is never used for another node's ask that waits here", async () => {
    const { a, b, c, pass } = createBench(3);
    const agents = [joinV2(b.relay, "b1"), joinV2(c.relay, "c1")];
    for (const node of [b, c]) ask(node, "runs");
    ask(a, "one");
    await pass(5);
    ask(b, "of b");
    await pass(5);
    for (const agent of agents) agent.answer();
    await pass(1);
    expect(a.relay.lendingStats()).toMatchObject({ tickets: 1 });
    await pass(9);
    expect(agents.map(({ asks }) => asks[0]?.content).sort()).toEqual(["of b", "one"]);
  });

  test("a caller who leaves while the offer is on its way gives the slot back", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    const controller = new AbortController();
    const gone = ask(a, "gone", { signal: controller.signal });
    await pass(1);
    controller.abort();
    await pass(5);
    expect([gone.outcome, agent.asks.length, agent.cancelled]).toEqual(["caller_gone", 0, []]);
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 0 });
  });

  test("a slot that was given to another ask is answered with a failure that does not count", async () => {
    const { b } = createBench();
    const fails: unknown[] = [];
    const node = { id: "n1", fail: (...args: unknown[]) => fails.push(args) } as unknown as TicketNode;
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "" };
    b.relay.run(node, "unknown", v1, "m", { requestId: "", surface: "" });
    b.relay.give("unknown");
    b.relay.forget("unknown", true);
    b.relay.nodeLost("unknown");
    expect(fails).toEqual([
      ["unknown", expect.anything(), { isRetryable: true, isRepeatable: true, isUnsent: true }],
    ]);
  });

  test("a repeated offer of a slot that is in use changes nothing", () => {
    const { a, b } = createBench();
    joinV2(b.relay, "b1");
    const asks = [ask(a, "one"), ask(a, "two")];
    const sent: string[] = [];
    const transport: Transport = {
      sentBytes: () => ({ total: 0, buffered: 0, read: 0 }),
      close: () => {},
      send: ({ kind }) => sent.push(kind) > 0,
    };
    const profile = { id: "b1", name: "b1", address: "", protocol: "v2" } as const;
    const from = {
      nodeId: "n2",
      held: { profile, model: "m", endpoint: "chat/completions" } as const,
      transport,
    };
    for (const { id } of a.relay.waitingTickets()) a.relay.offered(id, "slot", from);
    expect([sent, asks.map((one) => one.sent)]).toEqual([["ask"], [["b1"], []]]);
  });

  test("a slot is not for another node than the one that it is held for", () => {
    const { a, b } = createBench();
    const agent = joinV2(b.relay, "b1");
    const seen: string[] = [];
    const nodeOf = (id: string) =>
      ({
        id,
        offer: (_: string, slotId: string) => seen.push(slotId),
        fail: () => seen.push(`${id} failed`),
      }) as unknown as TicketNode;
    ask(a, "q");
    const [ticket] = a.relay.waitingTickets();
    if (ticket) b.relay.seek({ ...ticket, id: "copy" }, nodeOf("n1"));
    const chat = { endpoint: "chat/completions", stream: true, body: () => "" } as const;
    b.relay.run(nodeOf("n3"), seen[0] ?? "", chat, "m", { requestId: "", surface: "" });
    expect([seen.slice(1), agent.asks]).toEqual([["n3 failed"], []]);
  });

  test("a request for another endpoint, model or protocol than was offered fails, and reaches no agent", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "" };
    const chat = { endpoint: "chat/completions", stream: true, body: () => "" } as const;
    for (const [request, model] of [
      [v1, "m"],
      [chat, "x"],
      [{ ...chat, endpoint: "embeddings" } as const, "m"],
    ] as const) {
      const fails: unknown[] = [];
      const offers: string[] = [];
      const node = {
        id: "n1",
        offer: (_: string, slotId: string) => offers.push(slotId),
        fail: (...args: unknown[]) => fails.push(args),
      } as unknown as TicketNode;
      ask(a, "q");
      const [ticket] = a.relay.waitingTickets();
      if (ticket) b.relay.seek({ ...ticket, id: "copy" }, node);
      b.relay.run(node, offers[0] ?? "", request, model, { requestId: "", surface: "" });
      expect(fails).toMatchObject([[offers[0], { code: "internal" }, { isRetryable: false }]]);
      await pass(5);
      agent.answer();
      await pass(5);
    }
    expect(agent.asks).toEqual([]);
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 0 });
  });
});

describe("rule 5: a turn counts everywhere", () => {
  /** The user u1 has two asks at a node, u2 one at another; the first of u1 leaves the queue. */
  async function serveOne(isTaken: boolean) {
    const bench = createBench(3);
    const { a, b, c, pass } = bench;
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs", { user: "u0" });
    const controller = new AbortController();
    ask(a, "one of u1", { user: "u1", signal: controller.signal });
    ask(a, "two of u1", { user: "u1" });
    await pass(5);
    ask(b, "one of u2", { user: "u2" });
    await pass(5);
    if (isTaken) joinV2(c.relay, "c1");
    else controller.abort();
    await pass(5);
    agent.answer();
    await pass(5);
    return agent.asks.map(({ content }) => content);
  }

  test("an ask that gets a slot on one node ends its user's turn on the others", async () => {
    expect(await serveOne(true)).toEqual(["one of u2"]);
  });

  test("an ask whose caller leaves does not end the turn of its user", async () => {
    expect(await serveOne(false)).toEqual(["two of u1"]);
  });
});
