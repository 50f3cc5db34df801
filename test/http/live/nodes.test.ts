import { expect, test } from "bun:test";
import { ClusterFigures } from "../../../src/cluster/figures.ts";
import { createLiveFeed, type LiveSocket } from "../../../src/http/live/feed.ts";
import { mergeModels, mergeOverviews, mergeSamples } from "../../../src/http/live/nodes.ts";
import { createOverview } from "../../../src/http/live/overview.ts";
import { LiveFrame, type Overview } from "../../../src/http/live/schema.ts";
import { NodeOverview, NodeSecond } from "../../../src/protocol/node/lists.ts";
import { createMemoryCluster } from "../../cluster/memory-link.ts";
import { createRelayBench, settle } from "../../support/relay.ts";
import { openTestStore } from "../../support/store.ts";
import { joinAgent } from "../../support/transport.ts";

/** Two nodes, each with a core and a feed of its own, on one clock. */
function scene() {
  const hub = createRelayBench();
  const cluster = createMemoryCluster(hub.clock);
  const addNode = (name: string) => {
    const bench = createRelayBench({}, (record) => overview.noteAsk(record));
    const overview = createOverview({
      ...{ relay: () => bench.relay, users: openTestStore().users, version: name },
      readiness: () => async () => ({ reasons: [], degraded: [] }),
      ...{ now: () => hub.clock.now(), elapsedMs: () => hub.clock.now() },
    });
    let figures: ClusterFigures | undefined;
    cluster.add(name, (link) => {
      figures = new ClusterFigures({ link, clock: hub.clock, overview: () => feed.readForNodes() });
      return [figures];
    });
    const views: { frames: LiveFrame[] }[] = [];
    const feed = createLiveFeed({
      ...{ overview, nodes: figures, problems: () => [], endedOf: async () => [] },
      channel: () => ({
        publish: (_, text) => views.map(({ frames }) => frames.push(JSON.parse(text))),
        subscriberCount: () => views.length,
      }),
    });
    const open = () => {
      const view = { frames: [] as LiveFrame[] };
      const ws = {
        data: { protocol: "live", session: undefined },
        sendText: (text: string) => view.frames.push(JSON.parse(text)),
        subscribe: () => views.push(view),
        getBufferedAmount: () => 0,
        close: () => {},
      } as unknown as LiveSocket;
      feed.websocket.open(ws);
      return view;
    };
    /** Asks, and gets the answer at once from a v2 agent of the node. */
    const answer = async (agent: ReturnType<typeof joinAgent>) => {
      const asked = bench.ask("q", { model: "m" });
      const slot = agent.asks.at(-1)?.slot ?? "";
      agent.link.done(slot, { kind: "model", status: 200, body: "{}", usage: undefined });
      await asked;
    };
    return { ...bench, feed, open, answer };
  };
  const nodes = [addNode("a"), addNode("b")] as const;
  const deliver = async () => {
    for (let count = 0; count < 6; count++) {
      hub.clock.advance(1);
      await settle();
    }
  };
  const pass = async () => {
    hub.clock.advance(994);
    for (const { clock } of nodes) clock.advance(1_000);
    for (const { feed } of nodes) feed.tick();
    await settle();
    await deliver();
  };
  return { nodes, pass, deliver, cluster };
}

const last = (frames: readonly LiveFrame[]): LiveFrame => {
  const frame = frames.at(-1);
  if (!frame) throw new Error("no frame");
  return LiveFrame.parse(frame);
};

test("a live view has the sums of all nodes, their rows, and each request once", async () => {
  const { nodes, pass, deliver } = scene();
  const [a, b] = nodes;
  const ofA = joinAgent(a.relay, "1", { protocol: "v2", slots: 2 });
  const ofB = joinAgent(b.relay, "2", { protocol: "v2", slots: 3 });
  await b.answer(ofB);
  await pass();
  const view = a.open();
  await deliver();
  const first = last(view.frames);
  expect(first).toMatchObject({
    ...{ type: "overview", version: "a", models: [{ id: "m", agents: 2 }] },
    ...{ agents: { connected: 2, accepting: 2 }, slots: { total: 5, in_use: 0 }, missing_nodes: [] },
    nodes: [
      { id: "a", name: "a", agents: { connected: 1 }, slots: { total: 2 }, draining: false },
      { id: "b", name: "b", agents: { connected: 1 }, slots: { total: 3 }, draining: false },
    ],
    samples: { asks: [1], ok: [1], slots: [5], agents: [2] },
  });
  expect(first.asks).toHaveLength(1);
  await a.answer(ofA);
  await b.answer(ofB);
  await b.answer(ofB);
  await pass();
  await pass();
  await pass();
  const seconds = view.frames.slice(1).flatMap((frame) => (frame.type === "second" ? frame : []));
  expect(seconds.map(({ sample }) => sample.slots)).toEqual([5, 5, 5]);
  expect(seconds.reduce((all, { sample }) => all + sample.ok, 0)).toBe(3);
  expect(seconds.flatMap(({ asks }) => asks)).toHaveLength(3);
  expect(seconds.filter(({ models }) => models).length).toBeLessThanOrEqual(1);
  const later = a.open();
  await deliver();
  expect(last(later.frames)).toMatchObject({ asks: { length: 4 }, samples: { asks: { length: 4 } } });
});

test("a view of each node shows the same, and a node that has left is not missing", async () => {
  const { nodes, pass, deliver, cluster } = scene();
  const views = nodes.map(({ open }) => open());
  await deliver();
  joinAgent(nodes[0].relay, "1", { protocol: "v2", slots: 2 });
  for (let count = 0; count < 3; count++) await pass();
  for (const { frames } of views)
    expect(last(frames)).toMatchObject({ slots: { total: 2 }, nodes: { length: 2 }, missing_nodes: [] });
  cluster.remove("b");
  await pass();
  expect(last(views[0]?.frames ?? [])).toMatchObject({ nodes: [{ name: "a" }], missing_nodes: [] });
});

test("the overview waits for the other nodes, and has their history", async () => {
  const { nodes, pass, deliver } = scene();
  joinAgent(nodes[1].relay, "2", { protocol: "v2", slots: 3 });
  for (let count = 0; count < 3; count++) await pass();
  const asked = nodes[0].feed.read();
  await deliver();
  expect(await asked).toMatchObject({
    slots: { total: 3 },
    samples: { slots: [3, 3, 3] },
  } as Partial<Overview>);
  const own = await nodes[1].feed.readForNodes();
  expect(NodeOverview.parse(own)).toEqual(own);
});

const values = (counts: Partial<Parameters<typeof mergeSamples>[0]>) => ({
  ...{
    asks: 0,
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
  ...{ queue_ms: null, first_byte_ms: null, ...counts },
});

test("refused requests are added up, and a node of an older version, which does not tell of them, is read", () => {
  expect(mergeSamples(values({ refused: 2 }), [values({ refused: 3 })], [])).toMatchObject({ refused: 5 });
  const { refused: _, ...older } = values({ asks: 1 });
  const lists = Object.fromEntries(Object.entries(older).map(([name, value]) => [name, [value]]));
  const at = "2026-11-23T12:00:00.000Z";
  const pool = {
    ...{ now: at, ready: { status: "ready", reasons: [] }, agents: { connected: 0, accepting: 0 } },
    ...{ slots: { total: 0, in_use: 0 }, queue: { length: 0, oldest_wait_ms: null } },
  };
  const second = NodeSecond.parse({ ...pool, sample: { at, ...older }, asks: [] });
  expect(second.sample).toMatchObject({ asks: 1, refused: 0 });
  const samples = { from: at, every_ms: 1000, ...lists };
  const overview = NodeOverview.parse({
    ...pool,
    version: "1",
    started_at: at,
    models: [],
    samples,
    asks: [],
  });
  const self = { id: "n", name: "n", version: "2", draining: false };
  const merged = mergeOverviews(overview, self, { nodes: [{ node: self, overview }], missing: [] });
  expect(merged.samples).toMatchObject({ asks: [2], refused: [0] });
});

test("a median counts as often as requests ended at its node", () => {
  const own = values({ ok: 1, queue_ms: 900 });
  const other = values({ ok: 5, failed: 4, queue_ms: 10, first_byte_ms: 20 });
  expect(mergeSamples(own, [other], [])).toMatchObject({ ok: 6, queue_ms: 10, first_byte_ms: 20 });
  expect(mergeSamples(own, [], [])).toMatchObject({ queue_ms: 900, first_byte_ms: null });
});

test("the models of all nodes are counted by name", () => {
  const lists = [[{ id: "b", agents: 1 }], [{ id: "a", agents: 1 }], [{ id: "b", agents: 2 }]];
  expect(mergeModels(lists)).toEqual([
    { id: "a", agents: 1 },
    { id: "b", agents: 3 },
  ]);
});
