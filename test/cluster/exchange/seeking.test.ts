import { describe, expect, test } from "bun:test";
import { joinAgent } from "../../support/transport.ts";
import { createExchangeScene, type ExchangeNode, ticket } from "./exchange-scene.ts";

/** Node `a` asks; the agents of the others have these numbers of slots, for the model `m`. */
function setUp(slots: Record<string, number>) {
  const scene = createExchangeScene();
  const a = scene.add("a");
  const nodes: Record<string, ExchangeNode> = {};
  for (const [name, count] of Object.entries(slots)) {
    const node = scene.add(name);
    nodes[name] = node;
    if (count > 0) joinAgent(node.relay, `agent-${name}`, { protocol: "v2", slots: count });
  }
  scene.clock.advance(100);
  const soughtAt = (id: string) =>
    a.frames("seek").flatMap(({ to, ticket: { id: own } }) => (own === id ? [to] : []));
  return { ...scene, a, nodes, soughtAt };
}

describe("where an ask is sought", () => {
  test("first at the node with the largest share of free slots, and after 20 ms at the others that could serve it", () => {
    const { clock, a, nodes, soughtAt } = setUp({ b: 4, c: 4, d: 0 });
    const { link } = nodes["b"] as ExchangeNode;
    link.sendAll({ kind: "free", free: { 1: 1 } });
    clock.advance(5);
    a.exchange.seek(ticket({ id: "t" }));
    expect(soughtAt("t")).toEqual(["c"]);
    clock.advance(19);
    expect(soughtAt("t")).toEqual(["c"]);
    clock.advance(1);
    expect(soughtAt("t")).toEqual(["c", "b"]);
  });

  test("at once at all that could serve it if none has a free slot", () => {
    const { clock, a, nodes, soughtAt } = setUp({ b: 1, c: 1 });
    for (const { link } of Object.values(nodes)) link.sendAll({ kind: "free", free: { 1: 0 } });
    clock.advance(5);
    a.exchange.seek(ticket({ id: "t" }));
    expect(soughtAt("t")).toEqual(["b", "c"]);
  });

  test("many asks of one moment are spread over the free slots", () => {
    const { a, soughtAt } = setUp({ b: 2, c: 2 });
    for (const id of ["t1", "t2", "t3", "t4"]) a.exchange.seek(ticket({ id }));
    expect(["t1", "t2", "t3", "t4"].flatMap(soughtAt)).toEqual(["b", "c", "b", "c"]);
  });

  test("one frame goes to all if three nodes or more could serve it", () => {
    const { clock, a, nodes, soughtAt } = setUp({ b: 1, c: 1, d: 1 });
    for (const { link } of Object.values(nodes)) link.sendAll({ kind: "free", free: { 1: 0 } });
    clock.advance(5);
    a.exchange.seek(ticket({ id: "t" }));
    expect(soughtAt("t")).toEqual(["all"]);
    a.exchange.forget("t", true);
    expect(a.frames("forget")).toMatchObject([{ to: "all", ticket: "t", taken: true }]);
  });

  test("first at the node of the agent that it prefers", () => {
    const { clock, a, soughtAt } = setUp({ b: 1, c: 8 });
    a.exchange.seek(ticket({ id: "t", prefer: "agent-b" }));
    expect(soughtAt("t")).toEqual(["b"]);
    clock.advance(20);
    expect(soughtAt("t")).toEqual(["b", "c"]);
  });

  test("only at the node of the one agent that can serve it, wherever that agent comes back", () => {
    const { clock, cluster, a, nodes, soughtAt } = setUp({ b: 1, c: 1 });
    a.exchange.seek(ticket({ id: "t", pin: "agent-b" }));
    a.exchange.seek(ticket({ id: "u", pin: "elsewhere" }));
    clock.advance(100);
    expect([soughtAt("t"), soughtAt("u")]).toEqual([["b"], []]);
    cluster.remove("b");
    joinAgent((nodes["c"] as ExchangeNode).relay, "agent-b", { protocol: "v2" });
    clock.advance(100);
    expect(soughtAt("t")).toEqual(["b", "c"]);
  });

  test("at a node that joins, or gets an agent that could serve it, while it waits", () => {
    const { clock, cluster, add, a, nodes, soughtAt } = setUp({ b: 0, c: 1 });
    a.exchange.seek(ticket({ id: "t", waitedMs: 500 }));
    clock.advance(1_000);
    joinAgent((nodes["b"] as ExchangeNode).relay, "new", { protocol: "v2" });
    joinAgent(add("d").relay, "newer", { protocol: "v2" });
    clock.advance(100);
    expect(soughtAt("t")).toEqual(["c", "b", "d"]);
    cluster.reset("a", "c");
    clock.advance(100);
    expect(soughtAt("t")).toEqual(["c", "b", "d", "c"]);
    expect(a.frames("seek").at(-1)?.ticket.waited_ms).toBeWithin(1_500, 1_800);
  });

  test("nowhere once it no longer waits, and every node that knows it forgets it", () => {
    const { clock, a, nodes, soughtAt } = setUp({ b: 4, c: 4 });
    const pending = clock.pending();
    a.exchange.seek(ticket({ id: "t" }));
    a.exchange.forget("t", false);
    a.exchange.forget("t", false);
    clock.advance(100);
    expect(soughtAt("t")).toEqual(["b"]);
    expect(a.frames("forget")).toMatchObject([{ to: "b", ticket: "t", taken: false }]);
    expect(Object.values(nodes).map(({ exchange }) => exchange.stats().tickets)).toEqual([0, 0]);
    expect(clock.pending()).toBe(pending);
  });

  test("an ask with a name that no frame can carry stays at its node", () => {
    const { clock, a, soughtAt } = setUp({ b: 1 });
    a.exchange.seek(ticket({ id: "t", model: undefined, models: ["m", "x".repeat(5_000)] }));
    clock.advance(100);
    expect(soughtAt("t")).toEqual([]);
  });
});
