import { expect, test } from "bun:test";
import { type LiveFrame, Overview } from "../../src/http/live/schema.ts";
import { inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { describeWithCluster, startCluster } from "../support/cluster-nodes.ts";
import { ADMIN_KEY } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

// biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
type Body = any;

async function get(node: Executable, path: string, key = ADMIN_KEY) {
  const response = await fetch(node.url + path, { headers: { authorization: key } });
  const text = await response.text();
  const body: Body = text.startsWith("{") ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body };
}

const post = (node: Executable, path: string, body: object = {}, key = ADMIN_KEY) =>
  fetch(node.url + path, { method: "POST", headers: { authorization: key }, body: JSON.stringify(body) });

const ask = (node: Executable, model: string) =>
  post(node, "/v1/chat/completions", { model, stream: true, messages: [{ role: "user", content: "hi" }] });

/** Two nodes, each with an agent of its own, whose model has the name of the node. */
async function start() {
  const cluster = await startCluster(["a", "b"]);
  const { a, b } = cluster.nodes as { a: Executable; b: Executable };
  const join = (node: Executable, name: string, slots: number) =>
    connectV2Agent(node.url, {
      hello: { ...V2_HELLO, name, slots, models: [{ id: name }] },
      key: cluster.agentKey,
    });
  const agents = { a: await join(a, "at-a", 2), b: await join(b, "at-b", 3) };
  await cluster.offers(2);
  return { ...cluster, a, b, agents };
}

/** Opens a live view and returns its frames. */
async function look(node: Executable): Promise<{ frames: LiveFrame[]; close(): void }> {
  const headers = { authorization: ADMIN_KEY };
  const socket = new WebSocket(`${node.url.replace(/^http/, "ws")}/admin/live`, { headers });
  const frames: LiveFrame[] = [];
  socket.onmessage = ({ data }) => void frames.push(JSON.parse(String(data)));
  await until(() => frames.length > 0);
  return { frames, close: () => socket.close() };
}

describeWithCluster("the lists of two nodes", () => {
  test("the overview of a node is as ready as the node, also for the agents of others", async () => {
    const cluster = await startCluster(["a", "b"]);
    const nodes = Object.values(cluster.nodes);
    const overviewOf = async (node: Executable) => (await get(node, "/admin/overview")).body;
    const notReady = { status: "not ready", reasons: ["no agent accepts requests"] };
    for (const node of nodes) {
      expect((await get(node, "/ready")).body).toEqual({ ...notReady, nodes: 2 });
      const { ready, nodes: rows } = await overviewOf(node);
      expect([ready, ...rows.map((row: Body) => row.ready)]).toEqual([notReady, notReady, notReady]);
    }
    const { b } = cluster.nodes as { b: Executable };
    const agent = await connectV2Agent(b.url, { key: cluster.agentKey });
    for (const node of nodes) await until(async () => (await overviewOf(node)).ready.status === "ready");
    agent.stop();
  });

  test("every list and figure of a node covers both", async () => {
    const { a, b, agents, token } = await start();
    for (const node of [a, b]) {
      const list = (await get(node, "/admin/agents")).body;
      expect(list.agents.map((agent: Body) => [agent.name, agent.node]).sort()).toEqual([
        ["at-a", "a"],
        ["at-b", "b"],
      ]);
      expect(list.missing_nodes).toEqual([]);
      const connections = await get(node, "/api/connections", token);
      const ids = connections.body.connections.map(({ Id }: Body) => Id).sort();
      expect(ids).toEqual([agents.a.ready.agent, agents.b.ready.agent].sort());
      expect(connections.headers.get("x-missing-nodes")).toBeNull();
      expect((await get(node, "/v1/models", token)).body.data.map(({ id }: Body) => id)).toEqual([
        "at-a",
        "at-b",
      ]);
      expect((await get(node, "/v1/models/at-b", token)).status).toBe(200);
      const models = (await get(node, "/admin/models")).body;
      expect(models.missing_nodes).toEqual([]);
      expect(models.models).toMatchObject([
        { id: "at-a", agents: { total: 1, ready: 1 }, agent_list: [{ name: "at-a", node: "a" }] },
        { id: "at-b", agents: { total: 1, ready: 1 }, agent_list: [{ name: "at-b", node: "b" }] },
      ]);
      expect((await get(node, "/ready?agents=0")).body).toEqual({ status: "ready", nodes: 2 });
      const overview = (await get(node, "/admin/overview")).body;
      expect(Overview.parse(overview)).toEqual(overview);
      expect(overview).toMatchObject({
        ...{ agents: { connected: 2, accepting: 2 }, slots: { total: 5 }, missing_nodes: [] },
        models: [
          { id: "at-a", agents: 1 },
          { id: "at-b", agents: 1 },
        ],
      });
      expect(overview.nodes.map(({ name, slots }: Body) => [name, slots.total]).sort()).toEqual([
        ["a", 2],
        ["b", 3],
      ]);
    }
  });

  test("requests that wait at one node are in the queue of the other, and a user sees only their own", async () => {
    const { a, b, token, agents } = await start();
    const { signal, abort } = { signal: new AbortController(), abort: () => signal.abort() };
    const chat = (node: Executable, key: string) =>
      fetch(`${node.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: key },
        body: JSON.stringify({ model: "at-a", messages: [{ role: "user", content: "hi" }] }),
        signal: signal.signal,
      }).catch(() => {});
    const running = [chat(a, ADMIN_KEY), chat(a, ADMIN_KEY)];
    for (const _ of running) await agents.a.next("ask");
    const waiting = [chat(a, token), chat(b, token), chat(b, ADMIN_KEY)];
    for (const node of [a, b]) {
      await until(async () => (await get(node, "/api/queue")).body.total === 3);
      const own = (await get(node, "/api/queue", token)).body;
      expect([own.total, own.waiting.length, own.missing_nodes]).toEqual([2, 2, []]);
      expect(new Set(own.waiting.map(({ user_id }: Body) => user_id)).size).toBe(1);
    }
    expect((await get(a, "/admin/overview")).body.queue.length).toBe(3);
    abort();
    await Promise.all([...running, ...waiting]);
  });

  test("an agent of another node can be disconnected, and is gone from the lists of both", async () => {
    const { a, b, agents } = await start();
    const id = agents.b.ready.agent;
    const answer = await post(a, `/admin/agents/${id}/disconnect`);
    expect([answer.status, await answer.json()]).toEqual([200, { id, state: "closed" }]);
    for (const node of [a, b])
      await until(async () => (await get(node, "/admin/agents")).body.agents.length === 1);
    expect((await post(a, `/admin/agents/${id}/disconnect`)).status).toBe(404);
    expect((await get(a, "/admin/audit")).body.audit).toContainEqual(
      expect.objectContaining({ target: id, detail: { name: "at-b", drain: false } }),
    );
  });

  test("a live view shows what happens at both nodes, each request once, and the loss of a node", async () => {
    const { a, b, agents } = await start();
    const view = await look(a);
    expect(view.frames[0]).toMatchObject({ type: "overview", slots: { total: 5 }, nodes: { length: 2 } });
    for (const [node, model, agent] of [
      [a, "at-a", agents.a],
      [b, "at-b", agents.b],
      [b, "at-a", agents.a],
    ] as const) {
      const answer = ask(node, model);
      streamPieces(agent, (await agent.next("ask")).ask, ["x"]);
      await (await answer).text();
    }
    const seconds = () => view.frames.flatMap((frame) => (frame.type === "second" ? frame : []));
    await until(() => seconds().flatMap(({ asks }) => asks).length >= 3);
    await Bun.sleep(2_000);
    expect(seconds().flatMap(({ asks }) => asks)).toHaveLength(3);
    expect(seconds().reduce((all, { sample }) => all + sample.ok, 0)).toBe(3);
    expect(seconds().at(-1)?.sample).toMatchObject({ slots: 5, agents: 2 });
    b.kill("SIGKILL");
    await until(() => seconds().at(-1)?.nodes?.length === 1);
    expect(seconds().at(-1)).toMatchObject({ slots: { total: 2 }, agents: { connected: 1 } });
    view.close();
  });

  test("the metrics of a node count its messages, and the requests that it sent to the other", async () => {
    const { a, agents } = await start();
    const answer = ask(a, "at-b");
    streamPieces(agents.b, (await agents.b.next("ask")).ask, ["x"]);
    await (await answer).text();
    const { body: metrics } = await get(a, "/metrics");
    const value = (name: string) =>
      Number(new RegExp(`^chatgpt_api_${name} (\\S+)$`, "m").exec(metrics)?.[1]);
    expect([value("cluster_nodes"), value("asks_lent_total")]).toEqual([2, 1]);
    expect(value('offers_total{outcome="run"}')).toBe(1);
    expect(value('cluster_messages_total{direction="in"}')).toBeGreaterThan(0);
    expect(value('cluster_messages_total{direction="out"}')).toBeGreaterThan(0);
    expect([value("cluster_resets_total"), value("store_degraded")]).toEqual([0, 0]);
  });

  test("a node that hangs is named within about a second, and the others are listed", async () => {
    const { a, b } = await start();
    b.kill("SIGSTOP");
    try {
      const list = (await get(a, "/admin/agents")).body;
      expect(list.agents.map(({ name }: Body) => name)).toEqual(["at-a"]);
      expect(list.missing_nodes).toEqual(["b"]);
      const connections = await get(a, "/api/connections");
      expect(connections.headers.get("x-missing-nodes")).toBe("b");
    } finally {
      b.kill("SIGCONT");
    }
    await until(async () => (await get(a, "/admin/agents")).body.agents.length === 2);
  });
});

describeWithCluster("the dashboard of two nodes", () => {
  inBrowser("in a browser", (browser) => {
    test("the overview has a row for each node, and the agents' page the agents of both", async () => {
      const { a, b, agents } = await start();
      const page = await openDashboard(browser, { url: a.url, adminKey: ADMIN_KEY });
      await shows(rowOf(page, "Nodes", /^a/), rowOf(page, "Nodes", /^b/));
      await shows(page.getByText("0 / 5"));
      await checkAccessibility(page);
      await goTo(page, "Agents");
      const row = rowOf(page, "Connected agents", "at-b");
      await shows(row.getByText("b", { exact: true }));
      await row.getByRole("button", { name: "Disconnect at-b" }).click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Disconnect/ })
        .first()
        .click();
      await agents.b.ended;
      await until(async () => (await row.count()) === 0);
      b.kill("SIGSTOP");
      await goTo(page, "Overview");
      await shows(rowOf(page, "Nodes", /^b/).getByText("Not answering"));
      b.kill("SIGCONT");
    });
  });
});
