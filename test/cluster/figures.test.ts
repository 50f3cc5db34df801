import { expect, test } from "bun:test";
import { ClusterFigures } from "../../src/cluster/figures.ts";
import type { NodeOverview, NodeSecond } from "../../src/protocol/node/lists.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/relay.ts";
import { createMemoryCluster } from "./memory-link.ts";

const TIME = "2026-11-23T08:10:14.924Z";

const pool = (slots: number) => ({
  now: TIME,
  ready: { status: "ready" as const, reasons: [] },
  agents: { connected: 1, accepting: 1 },
  slots: { total: slots, in_use: 0 },
  queue: { length: 0, oldest_wait_ms: null },
});

const sampleOf = (asks: number) => ({
  ...{
    asks,
    ok: 0,
    failed: 0,
    refused: 0,
    deltas: 0,
    queue: 0,
    running: 0,
    slots: 0,
    slots_in_use: 0,
    agents: 0,
  },
  ...{ queue_ms: null, first_byte_ms: null },
});

const second = (asks: number, slots = 1): NodeSecond => ({
  ...{ ...pool(slots), sample: { at: TIME, ...sampleOf(asks) }, asks: [] },
});

const overviewOf = (seconds: readonly number[]): NodeOverview => ({
  ...{ version: "1", started_at: TIME, ...pool(1), models: [{ id: "m", agents: 1 }], asks: [] },
  samples: {
    ...{ from: TIME, every_ms: 1000, asks: [...seconds], ok: [...seconds], failed: [...seconds] },
    refused: [...seconds],
    ...{ deltas: [...seconds], queue: [...seconds], running: [...seconds], slots: [...seconds] },
    ...{ slots_in_use: [...seconds], agents: [...seconds] },
    ...{ queue_ms: seconds.map(() => null), first_byte_ms: seconds.map(() => null) },
  },
});

/** Nodes whose overviews have the samples 1 and 2. `made` counts their overviews. */
function scene(...names: string[]) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const made: Record<string, number> = {};
  const add = (name: string, overview?: () => Promise<NodeOverview>) => {
    let figures: ClusterFigures | undefined;
    made[name] = 0;
    const make = async () => {
      made[name] = (made[name] ?? 0) + 1;
      return overviewOf([1, 2]);
    };
    cluster.add(name, (link) => {
      figures = new ClusterFigures({ link, clock, overview: overview ?? make });
      return [figures];
    });
    return figures as ClusterFigures;
  };
  /** Lets messages arrive. */
  const pass = async (ms = 5) => {
    clock.advance(ms);
    await settle();
    clock.advance(1);
  };
  return { clock, cluster, made, add, pass, nodes: names.map((name) => add(name)) };
}

test("a node sends its overview and its seconds to those that look, and to no others", async () => {
  const { nodes, pass } = scene("a", "b", "c");
  const [a, b, c] = nodes as [ClusterFigures, ClusterFigures, ClusterFigures];
  expect(b.isWatched).toBe(false);
  const asked = a.watched();
  await pass();
  await pass();
  await asked;
  expect([a.isWatched, b.isWatched, c.isWatched]).toEqual([false, true, true]);
  b.publish(second(3, 7));
  await pass();
  expect(a.read().nodes.find(({ node }) => node.name === "b")?.overview.samples.asks).toEqual([1, 2]);
  expect(a.take()).toEqual([second(3, 7)]);
  const { nodes: found, missing } = a.read();
  expect(missing).toEqual([]);
  expect(found.map(({ node, overview }) => [node.name, overview.samples.asks, overview.slots.total])).toEqual(
    [
      ["b", [1, 2, 3], 7],
      ["c", [1, 2], 1],
    ],
  );
  expect(c.read()).toEqual({ nodes: [], missing: ["a", "b"] });
  expect(a.take()).toEqual([]);
});

test("a node sends until some seconds after the last question, and its overview only once", async () => {
  const { nodes, pass, made } = scene("a", "b");
  const [a, b] = nodes as [ClusterFigures, ClusterFigures];
  for (let seconds = 0; seconds < 20; seconds++) {
    a.watch();
    await pass(999);
    b.publish(second(1));
    a.take();
  }
  expect(made["b"]).toBe(1);
  expect(a.read().missing).toEqual([]);
  await pass(5_000);
  expect(b.isWatched).toBe(false);
  a.take();
  expect(a.read()).toEqual({ nodes: [], missing: ["b"] });
  a.watch();
  await pass();
  await pass();
  expect([made["b"], a.read().missing]).toEqual([2, []]);
});

test("a node that sends nothing is named within a second, and again when it stops to send", async () => {
  const { add, nodes, pass, clock } = scene("a");
  const [a] = nodes as [ClusterFigures];
  add("stuck", () => new Promise(() => {}));
  const b = add("b");
  const asked = a.watched();
  await pass(1_000);
  await asked;
  expect(a.read()).toMatchObject({ nodes: [{ node: { name: "b" } }], missing: ["stuck"] });
  for (let seconds = 0; seconds < 5; seconds++) {
    a.watch();
    if (seconds < 2) b.publish(second(1));
    await pass(999);
    a.take();
  }
  expect(a.read().missing).toContain("stuck");
  a.stop();
  clock.advance(10_000);
  expect(clock.pending()).toBe(0);
});

test("a node that cannot make its overview is asked again", async () => {
  const { add, nodes, pass } = scene("a");
  const [a] = nodes as [ClusterFigures];
  let tries = 0;
  add("b", () => (++tries === 1 ? Promise.reject(new Error("no")) : Promise.resolve(overviewOf([]))));
  a.watch();
  await pass(3_000);
  expect(a.read().missing).toEqual(["b"]);
  a.watch();
  await pass();
  await pass();
  expect([tries, a.read().missing]).toEqual([2, []]);
});

test("nodes that lose each other forget what they wanted, and a view that waits goes on", async () => {
  const { nodes, pass, cluster } = scene("a", "b");
  const [a, b] = nodes as [ClusterFigures, ClusterFigures];
  const asked = a.watched();
  cluster.remove("b");
  await asked;
  expect(a.read()).toEqual({ nodes: [], missing: [] });
  await pass(2);
  b.publish(second(1));
  expect(a.take()).toEqual([]);
});

test("seconds that nobody asked for, or that nobody takes, need no memory", async () => {
  const { nodes, pass } = scene("a", "b");
  const [a, b] = nodes as [ClusterFigures, ClusterFigures];
  a.watch();
  await pass();
  await pass();
  for (let count = 0; count < 50; count++) b.publish(second(count));
  await pass();
  expect(a.take()).toHaveLength(10);
  expect(b.take()).toEqual([]);
});

test("the history of a node has 15 minutes", async () => {
  const { nodes, pass } = scene("a", "b");
  const [a, b] = nodes as [ClusterFigures, ClusterFigures];
  a.watch();
  await pass();
  for (let count = 0; count < 910; count++) {
    b.publish(second(count));
    if (count % 5 === 0) {
      await pass(1);
      a.watch();
      a.take();
    }
  }
  await pass();
  a.take();
  const [{ overview } = { overview: overviewOf([]) }] = a.read().nodes;
  expect(overview.samples.asks).toHaveLength(900);
  expect(overview.samples.asks.at(-1)).toBe(909);
});
