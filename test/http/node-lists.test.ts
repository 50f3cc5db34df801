import { expect, test } from "bun:test";
import type { Caller } from "../../src/auth/callers.ts";
import { mergeAgents } from "../../src/http/admin/agent-rows.ts";
import { mergeConnections } from "../../src/http/ask/connections.ts";
import { queueRoutes } from "../../src/http/ask/queue.ts";
import { ADMIN, userPrincipal } from "../../src/principal.ts";
import type { AgentRow, ConnectionRow, WaitingRow } from "../../src/protocol/node/lists.ts";

const time = (second: number) => new Date(Date.UTC(2026, 10, 23, 8, 0, second)).toISOString();

const agentRow = (id: string, since: string): AgentRow => ({
  ...{ id, name: `agent ${id}`, version: null, protocol: "v2", address: "192.0.2.7", key: null, since },
  ...{ models: ["m"], loaded_models: null, priority: 0, weight: 1, tags: [], slots: 1, in_use: 0 },
  ...{ paused: false, draining: false, no_work_because: null, circuits: [], last_heard: since },
});

const found =
  <Row>(rows: Row[], missing: string[] = [], total = rows.length) =>
  async () => ({
    nodes: [{ node: "b", rows, total }],
    missing,
  });

test("each agent has the name of its node, and one that moves is listed where it registered last", async () => {
  const own = [agentRow("1", time(1)), agentRow("2", time(5))];
  const others = [agentRow("2", time(3)), agentRow("1", time(4)), agentRow("3", time(2))];
  const { agents, missing_nodes } = await mergeAgents(own, { name: "a", agents: found(others, ["c"]) });
  expect(agents.map(({ id, node }) => [id, node]).sort()).toEqual([
    ["1", "b"],
    ["2", "a"],
    ["3", "b"],
  ]);
  expect(missing_nodes).toEqual(["c"]);
});

test("the list of the Go server keeps its shape, and a header names the missing nodes", async () => {
  const row = (id: string, sent: string | null): ConnectionRow => ({ id, heartbeat: time(1), sent });
  const answer = await mergeConnections([row("1", null)], {
    connections: found([row("2", time(2)), row("1", null)], ["nöde 1", "b"]),
  });
  expect(answer.body).toEqual({
    connections: [
      { Ws: {}, Id: "1", Heartbeat: time(1), LastMessageTime: "0001-01-01T00:00:00Z" },
      { Ws: {}, Id: "2", Heartbeat: time(1), LastMessageTime: time(2) },
    ],
  });
  expect(answer.headers).toEqual({ "x-missing-nodes": "n%C3%B6de%201, b" });
  expect((await mergeConnections([], { connections: found<ConnectionRow>([]) })).headers).toEqual({});
});

const waitingRow = (id: string, waited_ms: number): WaitingRow => ({
  ...{ request_id: id, user_id: null, model: null, surface: "ask", priority: "normal", waited_ms, before: 0 },
});

test("the queue has the oldest requests of all nodes, and counts them all", async () => {
  const asked: (string | undefined)[] = [];
  const others = Array.from({ length: 1_000 }, (_, index) => waitingRow(`b${index}`, index));
  const waiting = (user?: string) => {
    asked.push(user);
    return found(others, ["c"], 1_234)();
  };
  const relay = {
    waitingAsks: () => [
      {
        ...{ requestId: "own", surface: "ask", principal: ADMIN, model: undefined },
        ...{ priority: "normal" as const, waitedMs: 500.4, asksBefore: () => 3 },
      },
    ],
  };
  const [bound] = queueRoutes.bind({ relay, nodes: { waiting } });
  const read = async (principal: Caller["principal"]) =>
    (await bound?.handler({ caller: { principal } as Caller } as Parameters<typeof bound.handler>[0])) as {
      total: number;
      waiting: WaitingRow[];
      missing_nodes: string[];
    };
  const queue = await read(ADMIN);
  expect([queue.total, queue.waiting.length, queue.missing_nodes]).toEqual([1_235, 1_000, ["c"]]);
  expect(queue.waiting[0]?.request_id).toBe("b999");
  expect(queue.waiting.map(({ request_id }) => request_id)).toContain("own");
  await read(userPrincipal("ann"));
  expect(asked).toEqual([undefined, "ann"]);
});
