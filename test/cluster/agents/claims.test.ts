import { describe, expect, test } from "bun:test";
import { CLOSE } from "../../../src/protocol/close.ts";
import type { Relay } from "../../../src/relay/relay.ts";
import { agentKeyOf } from "../../support/agent-key.ts";
import { type ConnectOptions, createAgentCluster, ID, pass } from "./agent-cluster.ts";

const KEY = agentKeyOf({ id: "key-1", name: "gpu box" });
const OTHER_KEY = agentKeyOf({ id: "key-2", name: "other box" });

const idsOf = (relay: Relay) => [...relay.agents()].map(({ id }) => id);

/** Two nodes, of which the first has an agent that the second knows of. */
async function withHolder(options: ConnectOptions = {}) {
  const cluster = createAgentCluster();
  const [a, b] = [cluster.add("a"), cluster.add("b")];
  const holder = a.connect(options);
  await pass(cluster.clock, 5);
  return { ...cluster, a, b, holder };
}

describe("a newcomer with the id of an agent of another node", () => {
  test("the newcomer takes the id over from the same address, and the agent that had it is closed", async () => {
    const { clock, a, b, holder } = await withHolder();
    const newcomer = b.connect();
    expect([b.relay.stats().agents, a.relay.stats().agents]).toEqual([0, 1]);
    await pass(clock, 10);
    expect([idsOf(a.relay), idsOf(b.relay)]).toEqual([[], [ID]]);
    expect([holder.closed, newcomer.closed]).toEqual([[CLOSE.replaced], []]);
    expect([a.directory.nodeOf(ID), b.directory.nodeOf(ID)]).toEqual(["b", undefined]);
  });

  test("a newcomer from another address is refused, and the agent that has the id stays connected", async () => {
    const { clock, a, b, holder } = await withHolder();
    const thief = b.connect({ address: "192.0.2.9" });
    await pass(clock, 10);
    expect([holder.closed, thief.closed]).toEqual([[], [CLOSE.id_in_use]]);
    expect([idsOf(a.relay), idsOf(b.relay)]).toEqual([[ID], []]);
  });

  test("the newcomer takes the id over with the key of the agent that has it, and with no other key", async () => {
    const { clock, b, holder } = await withHolder({ key: KEY });
    const other = b.connect({ key: OTHER_KEY });
    const keyless = b.connect();
    await pass(clock, 10);
    expect([holder.closed, other.closed, keyless.closed]).toEqual([[], [CLOSE.id_in_use], [CLOSE.id_in_use]]);
    const owner = b.connect({ key: KEY, address: "192.0.2.9" });
    await pass(clock, 10);
    expect([holder.closed, owner.closed]).toEqual([[CLOSE.replaced], []]);
  });

  test("a newcomer need not wait if it showed the secret of its id, or if its id is new", async () => {
    const { b } = await withHolder();
    const newcomer = { id: ID, name: "", address: "192.0.2.9", protocol: "v2" } as const;
    expect(b.claims.claim({ ...newcomer, resumed: true })).toBeUndefined();
    expect(b.claims.claim({ ...newcomer, id: "new" })).toBeUndefined();
  });

  test("the frames that the newcomer sends meanwhile are read once it is registered", async () => {
    const { clock, b } = await withHolder();
    const newcomer = b.connect();
    for (let count = 0; count < 3; count++) newcomer.say({ id: "unknown", message: "", data: "" });
    expect(b.relay.stats().frames_ignored).toBe(0);
    await pass(clock, 10);
    expect([b.relay.stats().frames_ignored, newcomer.closed]).toEqual([3, []]);
  });

  test("a newcomer that sends too much meanwhile is closed", async () => {
    const { clock, b } = await withHolder();
    const [many, large] = [b.connect(), b.connect()];
    for (let count = 0; count < 101; count++) many.say({ id: "unknown" });
    for (let count = 0; count < 7; count++) large.say({ id: "x".repeat(10_000) });
    expect([many.closed, large.closed]).toEqual([[CLOSE.frames_bad], [CLOSE.frames_bad]]);
    await pass(clock, 10);
    expect(idsOf(b.relay)).toEqual([]);
  });

  test("a newcomer that leaves before the answer does no harm", async () => {
    const { clock, a, b, holder } = await withHolder();
    const newcomer = b.connect();
    newcomer.connection.closed();
    await pass(clock, 10);
    expect([holder.closed, idsOf(a.relay), idsOf(b.relay)]).toEqual([[], [ID], []]);
  });

  test("the newcomer is refused by a third node to which the id has moved meanwhile", async () => {
    const { clock, b, add, hang, remove } = await withHolder();
    const c = add("c");
    hang("a");
    c.connect({ key: KEY });
    await pass(clock, 500);
    const newcomer = b.connect();
    await pass(clock, 700);
    expect([idsOf(b.relay), idsOf(c.relay)]).toEqual([[], [ID]]);
    remove("a");
    await pass(clock, 5);
    expect([idsOf(b.relay), newcomer.closed]).toEqual([[], [CLOSE.id_in_use]]);
  });
});

describe("the node that has the id does not answer", () => {
  test("a newcomer that showed a key registers after a second", async () => {
    const { clock, a, b, holder, hang, wake } = await withHolder({ key: KEY });
    hang("a");
    const newcomer = b.connect({ key: KEY });
    await pass(clock, 999);
    expect(idsOf(b.relay)).toEqual([]);
    await pass(clock, 1);
    expect([idsOf(b.relay), newcomer.closed]).toEqual([[ID], []]);
    // It wakes up, and has missed whatever it was sent.
    wake("a");
    await pass(clock, 10);
    expect([holder.closed, idsOf(a.relay)]).toEqual([[CLOSE.replaced], []]);
  });

  test("a newcomer without a key is closed with a code by which it tries again", async () => {
    const { clock, b, hang } = await withHolder();
    hang("a");
    const newcomer = b.connect();
    await pass(clock, 1_000);
    expect([idsOf(b.relay), newcomer.closed]).toEqual([[], [CLOSE.id_unconfirmed]]);
    expect(CLOSE.id_unconfirmed.code).toBeWithin(4000, 4500);
  });

  test("a newcomer registers at once when the node is lost", async () => {
    const { clock, b, hang, remove } = await withHolder();
    hang("a");
    const newcomer = b.connect();
    await pass(clock, 100);
    remove("a");
    await pass(clock, 1);
    expect([idsOf(b.relay), newcomer.closed]).toEqual([[ID], []]);
  });
});
