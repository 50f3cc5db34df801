import { expect, test } from "bun:test";
import type { LiveNode } from "../../../../src/dashboard/api/types.ts";
import { nodeRows } from "../../../../src/dashboard/pages/overview/node-rows.ts";

const nodeOf = (name: string, given: Partial<LiveNode> = {}): LiveNode => ({
  ...{ id: `id of ${name}`, name, version: "0.1.0", uptime_ms: 1_000, draining: false },
  ready: { status: "ready", reasons: [] },
  agents: { connected: 1, accepting: 1 },
  slots: { total: 4, in_use: 1 },
  queue: { length: 0, oldest_wait_ms: null },
  ...given,
});

test("a single server has no list of nodes, and neither has a cluster of one", () => {
  expect(nodeRows({})).toEqual([]);
  expect(nodeRows({ nodes: [nodeOf("a")], missing_nodes: [] })).toEqual([]);
});

test("the list of nodes says what each node does, and names those that do not answer", () => {
  const nodes = [
    nodeOf("a"),
    nodeOf("b", { draining: true, ready: { status: "not ready", reasons: ["the server is shutting down"] } }),
    nodeOf("c", {
      ready: { status: "not ready", reasons: ["the queue is full", "no agent accepts requests"] },
    }),
  ];
  const rows = nodeRows({ nodes, missing_nodes: ["d"] });
  expect(rows.map(({ name, label, tone, reason }) => [name, label, tone, reason])).toEqual([
    ["a", "Ready", "ok", null],
    ["b", "Draining", "warn", "It is about to stop."],
    ["c", "Not ready", "warn", "the queue is full, no agent accepts requests"],
    ["d", "Not answering", "bad", "Its numbers are missing on this page."],
  ]);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(4);
  expect(rows[3]?.node).toBeUndefined();
});

test("a node that takes requests although a part of it fails says which", () => {
  const degraded = (...parts: string[]) =>
    nodeOf("b", { ready: { status: "ready", reasons: [], degraded: parts } });
  const stateOf = (node: LiveNode) => {
    const [, { label, tone, reason } = {}] = nodeRows({ nodes: [nodeOf("a"), node] });
    return [label, tone, reason];
  };
  expect(stateOf(degraded("nats"))).toEqual(["Ready", "warn", "It has lost the way to the other nodes."]);
  expect(stateOf(degraded("store"))).toEqual(["Ready", "warn", "The database does not answer it."]);
  expect(stateOf(degraded())).toEqual(["Ready", "ok", null]);
});
