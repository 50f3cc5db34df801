import { expect, test } from "bun:test";
import { ClusterLists, type OwnRows } from "../../src/cluster/lists.ts";
import type { Part } from "../../src/cluster/part.ts";
import type { NodeFrame } from "../../src/protocol/node/frames.ts";
import type { AgentRow, WaitingRow } from "../../src/protocol/node/lists.ts";
import { createFakeClock } from "../support/clock.ts";
import { createMemoryCluster } from "./memory-link.ts";

const TIME = "2026-11-23T08:10:14.924Z";

const agentRow = (id: string): AgentRow => ({
  ...{ id, name: `agent ${id}`, version: null, protocol: "v2", address: "192.0.2.7", key: null },
  ...{ models: ["m"], loaded_models: null, priority: 0, weight: 1, tags: [], slots: 1, in_use: 0 },
  ...{ paused: false, draining: false, no_work_because: null, circuits: [], since: TIME, last_heard: TIME },
});

const waitingRow = (id: string, user: string): WaitingRow => ({
  ...{ request_id: id, user_id: user, model: null, surface: "ask" },
  ...{ priority: "normal", waited_ms: 1, before: 0 },
});

interface NodeRows {
  agents?: Iterable<AgentRow>;
  waiting?: WaitingRow[];
}

/** Counts what is asked for. */
function ownRows({ agents = [], waiting = [] }: NodeRows) {
  const counts = { agents: 0, connections: 0, waiting: 0 };
  const own: OwnRows = {
    agents() {
      counts.agents++;
      return { rows: agents };
    },
    connections() {
      counts.connections++;
      return { rows: [{ id: "c", heartbeat: TIME, sent: null }] };
    },
    waiting(user) {
      counts.waiting++;
      const rows = waiting.filter(({ user_id }) => user === undefined || user_id === user);
      return { rows, total: rows.length };
    },
  };
  return { counts, own };
}

/** Nodes by their names, each with its rows, and one that asks. `pieces` has the numbers of agents in frames. */
function scene(nodes: Record<string, NodeRows>) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const counts: Record<string, Record<string, number>> = {};
  const pieces: number[] = [];
  const add = (name: string, rows: NodeRows = {}) => {
    const { own, counts: counted } = ownRows(rows);
    counts[name] = counted;
    let lists: ClusterLists | undefined;
    cluster.add(name, (link) => {
      lists = new ClusterLists({ link, clock, own: () => own });
      return [lists, { frames: { list: (_, { agents = [] }) => void pieces.push(agents.length) } }];
    });
    return lists as ClusterLists;
  };
  const asker = add("asker");
  for (const [name, rows] of Object.entries(nodes)) add(name, rows);
  return { clock, cluster, counts, pieces, asker };
}

/** A node that answers with whatever `answer` returns. */
function addOther(
  { cluster }: ReturnType<typeof scene>,
  name: string,
  answer: (n: number, list: string) => NodeFrame[] | undefined,
): void {
  cluster.add(name, (link): Part[] => [
    {
      frames: {
        ask_list: (from, { n, list }) => {
          for (const frame of answer(n, list) ?? []) link.send(from.id, frame);
        },
      },
    },
  ]);
}

test("a list has the rows of every node, and names none as missing", async () => {
  const { asker, clock } = scene({ a: { agents: [agentRow("1"), agentRow("2")] }, b: {} });
  const asked = asker.agents();
  clock.advance(10);
  const { nodes, missing } = await asked;
  expect(missing).toEqual([]);
  expect(nodes).toEqual([
    { node: "a", rows: [agentRow("1"), agentRow("2")], total: 2 },
    { node: "b", rows: [], total: 0 },
  ]);
  expect(clock.pending()).toBe(0);
});

test("a node alone has an empty list at once", async () => {
  const { asker, clock } = scene({});
  expect(await asker.agents()).toEqual({ nodes: [], missing: [] });
  expect(clock.pending()).toBe(0);
});

test("a node that does not answer within a second is named, and the others are listed", async () => {
  const it = scene({ a: { agents: [agentRow("1")] } });
  addOther(it, "deaf", () => undefined);
  const asked = it.asker.agents();
  it.clock.advance(999);
  expect(await Promise.race([asked, "open"])).toBe("open");
  it.clock.advance(1);
  const { nodes, missing } = await asked;
  expect(missing).toEqual(["deaf"]);
  expect(nodes.map(({ node }) => node)).toEqual(["a"]);
});

test("a node that is lost in the middle is named at once, with the rows that it has sent", async () => {
  const it = scene({});
  addOther(it, "dying", (n) => [{ kind: "list", n, agents: [agentRow("1")], more: true }]);
  const asked = it.asker.agents();
  it.clock.advance(5);
  it.cluster.remove("dying");
  const { nodes, missing } = await asked;
  expect(missing).toEqual(["dying"]);
  expect(nodes[0]?.rows).toHaveLength(1);
  expect(it.clock.pending()).toBe(0);
});

test("a node without the list is named at once", async () => {
  const it = scene({});
  addOther(it, "older", (n) => [{ kind: "list", n }]);
  const asked = it.asker.connections();
  it.clock.advance(5);
  expect(await asked).toEqual({ nodes: [], missing: ["older"] });
});

test("frames for lists that nobody asked for, of another list, or after the end change nothing", async () => {
  const it = scene({ a: { agents: [agentRow("1")] } });
  addOther(it, "odd", (n) => [
    { kind: "list", n: n + 7, agents: [agentRow("no such number")] },
    { kind: "list", n, connections: [], more: true },
    { kind: "list", n, agents: [agentRow("too late")] },
  ]);
  const asked = it.asker.agents();
  it.clock.advance(5);
  expect(await asked).toEqual({
    nodes: [{ node: "a", rows: [agentRow("1")], total: 1 }],
    missing: ["odd"],
  });
});

test("10,000 agents of a node come whole, in pieces that others can pass", async () => {
  const agents = Array.from({ length: 10_000 }, (_, at) => agentRow(`${at}`));
  const { asker, clock, pieces } = scene({ a: { agents } });
  const asked = asker.agents();
  clock.advance(500);
  const { nodes, missing } = await asked;
  expect(missing).toEqual([]);
  expect(nodes[0]?.rows.map(({ id }) => id)).toEqual(agents.map(({ id }) => id));
  expect(pieces.length).toBeGreaterThanOrEqual(40);
  expect(Math.max(...pieces)).toBeLessThanOrEqual(250);
});

test("a node with too many agents is named, and lists as many as are allowed", async () => {
  function* endless() {
    for (let at = 0; ; at++) yield agentRow(`${at}`);
  }
  const { asker, clock } = scene({ a: { agents: endless() } });
  const asked = asker.agents();
  clock.advance(500);
  const { nodes, missing } = await asked;
  expect(missing).toEqual(["a"]);
  expect(nodes[0]?.rows).toHaveLength(20_000);
  expect(clock.pending()).toBe(0);
});

test("callers who ask for the same list at the same time share one round", async () => {
  const { asker, counts, clock } = scene({ a: {} });
  const asked = [asker.connections(), asker.connections(), asker.waiting("ann"), asker.waiting("bob")];
  clock.advance(5);
  await Promise.all(asked);
  const later = asker.connections();
  clock.advance(5);
  await later;
  expect(counts["a"]).toMatchObject({ connections: 2, waiting: 2 });
});

test("the waiting requests of a user are those of no one else", async () => {
  const rows = [waitingRow("1", "ann"), waitingRow("2", "bob")];
  const { asker, clock } = scene({ a: { waiting: rows } });
  const asked = [asker.waiting("bob"), asker.waiting()];
  clock.advance(5);
  const [ofBob, ofAll] = await Promise.all(asked);
  expect(ofBob?.nodes[0]).toEqual({ node: "a", rows: rows.slice(1), total: 1 });
  expect(ofAll?.nodes[0]?.rows).toHaveLength(2);
});

test("a node sends no rows to one that is lost, and none after nobody waits any more", async () => {
  let made = 0;
  function* rows() {
    for (;;) yield agentRow(`${made++}`);
  }
  const { asker, clock, cluster } = scene({ a: { agents: rows() } });
  void asker.agents();
  clock.advance(3);
  cluster.part("asker", "a");
  const before = made;
  clock.advance(5_000);
  expect(made).toBeLessThanOrEqual(before + 500);
  expect(clock.pending()).toBe(0);
});

test("the end of a node ends what it waits for", async () => {
  const it = scene({});
  addOther(it, "deaf", () => undefined);
  const asked = it.asker.agents();
  it.asker.stop();
  expect(await asked).toEqual({ nodes: [], missing: ["deaf"] });
});
