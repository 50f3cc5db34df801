import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startAgentProcess } from "../support/agent-process.ts";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { until } from "../support/until.ts";
import { type Installed, makeRelease, scriptOf, useInstalled } from "../support/update/scene.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const IS_LINUX = process.platform === "linux";
const NEW = scriptOf("9.9.9");
const AGENT = "chatgpt-api-agent";

const scene = useScene();

const listAgents = async () => {
  const answer = await scene.request<{
    agents: { id: string; name: string; since: string; can_update: boolean }[];
  }>("/admin/agents", { headers: { authorization: scene.adminKey } });
  return answer.body.agents;
};
const agentCalled = async (name: string) => (await listAgents()).find((agent) => agent.name === name);

/** Installs an agent as a service whose owner allows updates, and waits until the server has it. */
async function installAgent(installed: Installed, name: string, ...flags: string[]) {
  const args = [`127.0.0.1:${scene.server.port}`, "--agent-key", scene.agentKey, "--echo", "--name", name];
  const { code, output } = await installed.install("agent", [...args, ...flags]);
  expect({ code, output }).toMatchObject({ code: 0 });
  await until(async () => (await agentCalled(name)) !== undefined);
  return await agentCalled(name);
}

const askToUpdate = (id: string | undefined) =>
  scene.request(`/admin/agents/${id}/update`, {
    method: "POST",
    headers: { authorization: scene.adminKey },
    body: "{}",
  });

test.if(IS_LINUX)("an agent that its server asks updates itself, and comes back", async () => {
  const installed = useInstalled();
  const release = makeRelease(NEW);
  const agent = await installAgent(installed, "far box", "--allow-update", "--update-from", release);
  expect(agent?.can_update).toBe(true);
  const before = installed.pid(AGENT);
  const { status, body } = await askToUpdate(agent?.id);
  expect([status, body]).toEqual([200, { id: agent?.id, state: "asked" }]);
  await until(() => readFileSync(installed.executable, "latin1") === NEW);
  await until(async () => ((await agentCalled("far box"))?.since ?? "") > (agent?.since ?? ""));
  expect(installed.pid(AGENT)).not.toBe(before);
  await until(() =>
    installed.log("chatgpt-api-agent.update.service").includes("Updated from 0.1.0 to 9.9.9."),
  );
  expect(installed.log(`${AGENT}.service`)).toContain("update_requested");
});

test.if(IS_LINUX)("an agent that was installed without --allow-update is not asked", async () => {
  const installed = useInstalled();
  const agent = await installAgent(installed, "own box");
  const { status } = await askToUpdate(agent?.id);
  expect([agent?.can_update, status]).toEqual([false, 409]);
});

test("an agent outside of a service says that it cannot be asked to update", async () => {
  const agent = await startAgentProcess([
    scene.url,
    "--echo",
    "--allow-update",
    "--auto-update",
    "--name",
    "loose",
  ]);
  await agent.output(/--allow-update has no effect here/);
  await agent.output(/--auto-update has no effect here/);
  await until(async () => (await agentCalled("loose")) !== undefined);
  expect((await agentCalled("loose"))?.can_update).toBe(false);
  await agent.stop();
});

inBrowser("dashboard: old agents", (browser) => {
  test("the dashboard shows which agent is old, and asks it to update itself", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    const own = { ...V2_HELLO, version: "0.0.9", program: "chatgpt-api-server" };
    const agent = await connectV2Agent(scene.url, {
      hello: { ...own, name: "old box", capabilities: ["update"] },
    });
    const other = await connectV2Agent(scene.url, { hello: { ...own, name: "locked box" } });
    scene.after(() => {
      agent.stop();
      other.stop();
    });
    const table = "Connected agents";
    const badge = /^old: 0\.0\.9, server has \d/;
    await shows(
      rowOf(page, table, "old box").getByText(badge),
      rowOf(page, table, "locked box").getByText(badge),
    );
    await rowOf(page, table, "old box").getByRole("button", { name: "old box", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await shows(dialog.getByText(badge));
    await dialog.getByRole("button", { name: "Update", exact: true }).click();
    await shows(page.getByText("old box was asked to update itself."));
    expect(await agent.next("update")).toEqual({ type: "update" });
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await rowOf(page, table, "locked box").getByRole("button", { name: "locked box", exact: true }).click();
    await shows(dialog.getByText(badge));
    expect(await dialog.getByRole("button", { name: "Update", exact: true }).count()).toBe(0);
  });
});
