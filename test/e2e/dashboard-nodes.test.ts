import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { LiveFrame } from "../../src/http/live/schema.ts";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

/** Adds to each frame of the live view what a cluster would tell, and to each agent its node. */
async function pretendCluster(page: Page, missing: readonly string[], degraded?: string[]): Promise<void> {
  await page.routeWebSocket(/\/admin\/live$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const frame = JSON.parse(String(text)) as LiveFrame;
      const { agents, slots, queue } = frame;
      const ready = { ...frame.ready, ...(degraded && { degraded }) };
      const node = { version: "0.1.0", uptime_ms: 3_600_000, draining: false, ready, agents, slots, queue };
      const nodes = [
        { ...node, id: "1", name: "node-1" },
        { ...node, id: "2", name: "node-2", draining: true, queue: { length: 3, oldest_wait_ms: 1_200 } },
      ];
      socket.send(JSON.stringify({ ...frame, ready, nodes, missing_nodes: missing }));
    });
  });
  await page.route("**/admin/agents", async (route) => {
    const response = await route.fetch();
    const { agents } = (await response.json()) as { agents: object[] };
    const json = { agents: agents.map((agent) => ({ ...agent, node: "node-2" })), missing_nodes: missing };
    await route.fulfill({ response, json });
  });
  await page.route("**/admin/settings", async (route) => {
    const response = await route.fetch();
    const { settings, ...rest } = (await response.json()) as { settings: Record<string, object> };
    const nats = { ...settings["nats"], value: "***" };
    await route.fulfill({ response, json: { ...rest, settings: { ...settings, nats } } });
  });
  await page.reload();
}

inBrowser("dashboard: nodes of a cluster", (browser) => {
  const scene = useScene();

  test("a single server shows no nodes", async () => {
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, name: "alone" } });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await shows(page.getByText("Live", { exact: true }));
    await hides(page.getByRole("heading", { level: 2, name: "Nodes" }));
    await goTo(page, "Agents");
    await shows(rowOf(page, "Connected agents", "alone"));
    await hides(page.getByRole("columnheader", { name: "Node" }));
  });

  test("the overview lists the nodes with their states, and names those that do not answer", async () => {
    const page = await openDashboard(browser, scene);
    await pretendCluster(page, ["node-3"]);
    await shows(page.getByRole("heading", { level: 2, name: "Nodes" }));
    await shows(rowOf(page, "Nodes", "node-1"));
    await shows(rowOf(page, "Nodes", "node-2").getByText("Draining", { exact: true }));
    await shows(rowOf(page, "Nodes", "node-2").getByText("oldest: 1.2 s"));
    await shows(rowOf(page, "Nodes", "node-3").getByText("Not answering", { exact: true }));
    await page.getByRole("button", { name: /^Node/ }).click();
    await page.getByRole("button", { name: /^Node/ }).click();
    const names = await page.getByRole("table", { name: "Nodes" }).getByRole("rowheader").allTextContents();
    expect(names).toEqual(["node-3", "node-2", "node-1"]);
    await checkAccessibility(page);
  });

  test("the agents' page shows the node of each agent, and says whose agents are missing", async () => {
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, name: "far away" } });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await pretendCluster(page, ["node-3"]);
    await goTo(page, "Agents");
    await shows(rowOf(page, "Connected agents", "far away").getByText("node-2", { exact: true }));
    await shows(page.getByText("because these nodes do not answer: node-3."));
    await page.getByLabel("Search").fill("node-2");
    await shows(rowOf(page, "Connected agents", "far away"));
    await checkAccessibility(page);
    await page.getByRole("button", { name: "far away", exact: true }).click();
    await shows(page.getByRole("dialog").getByText("node-2", { exact: true }));
    await checkAccessibility(page);
  });

  test("the agents' page says that NATS is away, also when the other nodes are forgotten", async () => {
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await pretendCluster(page, [], ["nats"]);
    await goTo(page, "Agents");
    await shows(page.getByText("This node cannot reach the other nodes, because NATS is away."));
    await checkAccessibility(page);
    await page.getByRole("link", { name: "Connect an agent" }).first().click();
    await shows(page.getByText("This node cannot reach the other nodes, because NATS is away."));
    await goTo(page, "Overview");
    await shows(rowOf(page, "Nodes", "node-1").getByText("It has lost the way to the other nodes."));
  });

  test("the page that connects an agent asks for the address of the cluster, not proposing one node's", async () => {
    const page = await openDashboard(browser, scene);
    await pretendCluster(page, []);
    await page.goto(`${scene.url}/dashboard#/agents/join`);
    await shows(page.getByText("Enter the address that leads to every node"));
    expect(await page.getByLabel("Address of this server").inputValue()).toBe("");
    await shows(page.getByText("Enter a valid server address above to see the line."));
    await hides(page.getByText("This is not an address."));
    await checkAccessibility(page);
    await shows(page.getByRole("radio", { name: "The machine of this node" }));
    await page.getByLabel("Address of this server").fill("https://chat.example.com");
    await shows(page.getByText("Create a key above to see the line."));
  });

  test("the overview says that the server is not ready, and calls it ready no longer when the view is lost", async () => {
    const page = await openDashboard(browser, scene);
    await shows(page.getByText("Not ready", { exact: true }));
    await shows(page.getByText("The server cannot take requests now: no agent accepts requests."));
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    const badge = page.locator(".page-head").getByText("Ready", { exact: true });
    await shows(badge);
    const sockets: { close(): Promise<void> }[] = [];
    let isLost = false;
    await page.routeWebSocket(/\/admin\/live$/, (socket) => {
      if (isLost) return void socket.close();
      socket.connectToServer();
      sockets.push(socket);
    });
    await page.reload();
    await shows(badge);
    isLost = true;
    await Promise.all(sockets.map((socket) => socket.close()));
    await shows(page.getByText("Not live, reconnecting …"));
    await hides(badge);
  });
});
