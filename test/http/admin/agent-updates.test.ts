import { expect, test } from "bun:test";
import manifest from "../../../package.json";
import { pythonAgent } from "../../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { connectV2Agent, V2_HELLO } from "../../support/v2-agent.ts";

const HEADERS = { authorization: ADMIN_KEY };

async function scene() {
  const { url } = await startTestServer(["--agents", "local"]);
  const call = async (method: string, path: string) => {
    const response = await fetch(`${url}${path}`, { method, headers: HEADERS });
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, body: (await response.json()) as any };
  };
  return { url, call };
}

const OWN = { ...V2_HELLO, program: "chatgpt-api-server" };

test("an agent whose owner allows it is asked to update itself, and the audit has the request", async () => {
  const { url, call } = await scene();
  const hello = { ...OWN, capabilities: ["update", "of a newer version"] };
  const agent = await connectV2Agent(url, { hello });
  const { agent: id } = agent.ready;
  const { status, body } = await call("POST", `/admin/agents/${id}/update`);
  expect([status, body]).toEqual([200, { id, state: "asked" }]);
  expect(await agent.next("update")).toEqual({ type: "update" });
  expect((await call("GET", "/admin/audit")).body.audit).toMatchObject([
    { action: "agent.update", target: id, actor: "admin", detail: { name: "test agent" } },
  ]);
});

test("an agent whose owner does not allow it is not asked, and neither are v1 agents", async () => {
  const { url, call } = await scene();
  const agent = await connectV2Agent(url, { hello: OWN });
  const v1 = await pythonAgent(url, { key: null });
  for (const id of [agent.ready.agent, v1.id]) {
    const { status, body } = await call("POST", `/admin/agents/${id}/update`);
    expect([status, JSON.stringify(body)]).toEqual([409, expect.stringContaining("--allow-update")]);
  }
  expect(agent.frames.map(({ type }) => type)).not.toContain("update");
  expect((await call("GET", "/admin/audit")).body.audit).toMatchObject([
    { detail: { name: "v1 agent", failed: "agent_update_refused" } },
    { detail: { name: "v1 agent" } },
    { detail: { name: "test agent", failed: "agent_update_refused" } },
    { detail: { name: "test agent" } },
  ]);
});

test("no agent is asked to update itself that is not connected", async () => {
  const { call } = await scene();
  const { status } = await call("POST", "/admin/agents/nobody/update");
  expect([status, (await call("GET", "/admin/audit")).body.audit]).toEqual([404, []]);
});

test.each<[string, object, string | null]>([
  ["an older version of this program", { ...OWN, version: "0.0.9" }, manifest.version],
  ["this version", { ...OWN, version: manifest.version }, null],
  ["a newer version", { ...OWN, version: "99.0.0" }, null],
  ["an older version of another program", { ...V2_HELLO, version: "0.0.9" }, null],
  ["a version that cannot be compared", { ...OWN, version: "built by hand" }, null],
])("the list of agents tells of an agent of %s whether it is old", async (_, hello, newer) => {
  const { url, call } = await scene();
  await connectV2Agent(url, { hello });
  expect((await call("GET", "/admin/agents")).body.agents).toMatchObject([
    { newer_version: newer, can_update: false },
  ]);
});
