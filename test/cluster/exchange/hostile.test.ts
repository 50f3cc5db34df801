import { describe, expect, test } from "bun:test";
import { ticketFields } from "../../../src/cluster/exchange/ticket-fields.ts";
import { principalOf } from "../../../src/principal.ts";
import { PIECE_BYTES_MAX } from "../../../src/protocol/bytes/window.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { joinAgent } from "../../support/transport.ts";
import { createExchangeScene, ticket } from "./exchange-scene.ts";

/** Node `a` asks, and `b` has an agent with an ask of `a`; node `c` sends what it should not. */
async function setUp() {
  const scene = createExchangeScene();
  const [a, b, c] = [scene.add("a"), scene.add("b"), scene.add("c")];
  const agent = joinAgent(b.relay, "x", { protocol: "v2", slots: 2 });
  await scene.pass(50);
  const asked = a.ask("q", { model: "m" });
  await scene.pass(20);
  const slot = agent.asks[0]?.slot ?? "";
  const run = a.sent.find(({ frame }) => frame.kind === "run")?.frame as Extract<NodeFrame, { kind: "run" }>;
  const idle = async () => {
    await scene.pass(5_000, 100);
    return [a, b, c].map(({ relay, exchange }) => [
      relay.stats().slots_in_use,
      relay.lendingStats().tickets,
      exchange.stats().slots,
    ]);
  };
  return { ...scene, ...asked, a, b, c, agent, slot, run, idle };
}

const NOTHING = [
  [0, 0, 0],
  [0, 0, 0],
  [0, 0, 0],
];

describe("frames that no sound node sends", () => {
  test("frames about a slot from a node that does not have it change nothing", async () => {
    const { b, c, pass, agent, slot, run, outcome, deltas, idle } = await setUp();
    const frames: NodeFrame[] = [
      { kind: "give", slot },
      { kind: "ack", slot, bytes: 10 ** 9 },
      { kind: "again", slot, body: "other" },
      { kind: "bytes", slot, data: Buffer.from("not yours") },
      { kind: "credit", slot, bytes: 10 ** 9 },
      { ...run, slot },
    ];
    for (const frame of frames) c.link.send("b", frame);
    const answers: NodeFrame[] = [
      { kind: "accept", slot },
      { kind: "delta", slot, data: "not yours" },
      { kind: "head", slot, status: 200, content_type: "audio/mpeg" },
      { kind: "bytes", slot, data: Buffer.from("not yours") },
      { kind: "credit", slot, bytes: 10 ** 9 },
      { kind: "done", slot, answer: { kind: "model", status: 200 } },
      { kind: "fail", slot, error: { code: "agent_lost" }, retryable: true, repeatable: true },
      { kind: "refused", slot, fields: ["user"] },
    ];
    for (const frame of answers) c.link.send("a", frame);
    await pass(20);
    expect([agent.cancelled, agent.asks.length, deltas]).toEqual([[], 1, []]);
    agent.answer();
    await pass(20);
    expect([await outcome, deltas]).toEqual(["200", ["q"]]);
    expect(b.relay.stats().frames_ignored).toBeGreaterThanOrEqual(3);
    expect(await idle()).toEqual(NOTHING);
  });

  test("a slot is run once, and what comes after its end is ignored", async () => {
    const { a, b, pass, agent, slot, run, outcome, deltas, idle } = await setUp();
    for (let count = 0; count < 3; count++) a.link.send("b", run);
    await pass(20);
    expect(agent.asks).toHaveLength(1);
    agent.answer();
    await pass(20);
    const late: NodeFrame[] = [
      { kind: "give", slot },
      { kind: "ack", slot, bytes: 5 },
      { kind: "again", slot },
    ];
    for (const frame of late) a.link.send("b", frame);
    for (let count = 0; count < 2; count++) {
      b.link.send("a", { kind: "delta", slot, data: "late" });
      b.link.send("a", { kind: "done", slot, answer: { kind: "model", status: 200 } });
    }
    await pass(20);
    expect([await outcome, deltas]).toEqual(["200", ["q"]]);
    expect(await idle()).toEqual(NOTHING);
  });

  test("a slot that nobody holds is refused, so that its ask moves", async () => {
    const { a, b, run, pass } = await setUp();
    a.link.send("b", { ...run, slot: "nobody's" });
    await pass(20);
    expect(b.frames("fail")).toMatchObject([{ to: "a", slot: "nobody's", retryable: true, unsent: true }]);
  });

  test("offers for unknown tickets are given back, and repeated ones are not taken twice", async () => {
    const { a, c, pass, agent, idle } = await setUp();
    const offer: NodeFrame = {
      ...{ kind: "offer", ticket: "unknown", slot: "s", model: "m", endpoint: "chat/completions" },
      agent: { id: "y", name: "y", address: "::1", protocol: "v2" },
    };
    for (let count = 0; count < 1_000; count++) c.link.send("a", { ...offer, slot: `s${count % 10}` });
    await pass(20);
    expect(a.frames("give")).toHaveLength(1_000);
    const asked = a.ask("other", { model: "n" });
    await pass(5);
    expect(await asked.outcome).toBe("no_agent");
    agent.answer();
    expect(await idle()).toEqual(NOTHING);
  });

  test("a slot that another node holds already is not taken from a third one", async () => {
    const { a, c, pass, agent, slot, outcome } = await setUp();
    c.link.send("a", {
      ...{ kind: "offer", ticket: "unknown", slot, model: "m", endpoint: "chat/completions" },
      agent: { id: "y", name: "y", address: "::1", protocol: "v2" },
    });
    await pass(20);
    agent.answer();
    await pass(20);
    expect(await outcome).toBe("200");
    expect(a.relay.stats().frames_ignored).toBeGreaterThan(0);
  });

  test("a bounded number of 100,000 tickets waits, and all are gone with their node", async () => {
    const { b, c, cluster, pass, agent } = await setUp();
    for (let count = 0; count < 100_000; count++) {
      const { principal: _, priority, model, ...rest } = ticket();
      b.exchange.frames.seek?.(c.link.self, {
        kind: "seek",
        ticket: {
          ...{ id: `t${count}`, user: `u${count % 7}`, priority, waited_ms: 0, model, v1: false },
          ...{ requests: [...rest.requests], tried: [], repeatable: true },
        },
      });
    }
    expect(b.exchange.stats().tickets).toBe(20_000);
    cluster.remove("c");
    await pass(5);
    expect([b.exchange.stats().tickets, b.relay.lendingStats().tickets]).toEqual([0, 0]);
    agent.answer();
    await pass(5);
    expect(b.relay.stats().slots_in_use).toBe(0);
  });

  test("a ticket belongs to the node that sent it first", async () => {
    const { a, b, c, pass, agent } = await setUp();
    void a.ask("second", { model: "m" });
    void a.ask("third", { model: "m" });
    await pass(30);
    const third = a.frames("seek").at(-1)?.ticket;
    if (!third) throw new Error("not sought");
    c.link.send("b", { kind: "forget", ticket: third.id, taken: true });
    c.link.send("b", { kind: "seek", ticket: { ...third, user: "mallory" } });
    await pass(10);
    expect(b.exchange.stats().tickets).toBe(1);
    for (let count = 0; count < 3; count++) {
      agent.answer();
      await pass(20);
    }
    expect(a.records.map(({ principal, outcome }) => [principal, outcome])).toEqual(
      Array.from({ length: 3 }, () => [principalOf("ann"), "ok"]),
    );
  });

  test("bytes for an ask that has none change nothing, from either side", async () => {
    const { a, b, pass, agent, slot, outcome, deltas, idle } = await setUp();
    for (const [node, to] of [
      [a, "b"],
      [b, "a"],
    ] as const) {
      for (let count = 0; count < 32; count++)
        node.link.send(to, { kind: "bytes", slot, data: new Uint8Array(PIECE_BYTES_MAX) });
      node.link.send(to, { kind: "credit", slot, bytes: 10 ** 9 });
    }
    b.link.send("a", { kind: "head", slot, status: 200, content_type: "audio/mpeg" });
    await pass(10);
    agent.answer();
    await pass(10);
    expect([await outcome, deltas]).toEqual(["200", ["q"]]);
    expect(await idle()).toEqual(NOTHING);
  });
});

describe("a node of a newer version", () => {
  test("a ticket with an endpoint that this node does not know is served by those that it knows", async () => {
    const { b, c, agent, pass, idle } = await setUp();
    agent.answer();
    const newer = { endpoint: "of/a/newer/node", stream: true };
    const seek = (id: string, requests: object[]) =>
      c.link.send("b", { kind: "seek", ticket: { ...ticketFields(ticket({ id })), requests } } as NodeFrame);
    seek("only newer", [newer]);
    seek("both", [newer, { endpoint: "chat/completions", stream: true }]);
    await pass(20);
    const offers = b.sent.filter(({ to, frame }) => to === "c" && frame.kind === "offer");
    expect(offers.map(({ frame }) => frame)).toMatchObject([
      { ticket: "both", endpoint: "chat/completions" },
    ]);
    for (const id of ["only newer", "both"]) c.link.send("b", { kind: "forget", ticket: id, taken: false });
    expect(await idle()).toEqual(NOTHING);
  });
});
