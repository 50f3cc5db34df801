import { expect, test } from "bun:test";
import { type AgentOptions, firefoxAgent, type TestAgent } from "../support/agents.ts";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { ADMIN_KEY, call, readiness } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

interface Message {
  role: string;
  content: string;
}

const connect = (node: Executable, options: AgentOptions = {}): Promise<TestAgent> =>
  firefoxAgent(node.url, options);

/** Asks a chat completion of the agents that speak v1. Resolves with the status and the text of the answer. */
async function chat(node: Executable, messages: readonly Message[]) {
  const { status, body } = await call(node, "/v1/chat/completions", ADMIN_KEY, {
    model: "chatgpt",
    messages,
  });
  const { choices } = body as unknown as { choices?: { message: Message }[] };
  return { status, text: choices?.[0]?.message.content ?? "" };
}

/** Resolves once a request at the node is answered by the agent of any node. */
const answersAt = (node: Executable) =>
  until(async () => (await chat(node, [{ role: "user", content: "hi" }])).status === 200);

const ask = (node: Executable, body: object) => call(node, "/api/ask", ADMIN_KEY, body);

describeWithCluster("agents of several nodes", () => {
  test("an agent is reached from every node, and two connections with one id end as one", async () => {
    const [a, b, c] = await startThree();
    const old = await connect(a);
    for (const node of [a, b, c]) await answersAt(node);
    // A node that has started learns first which agents the others have.
    for (const node of [a, b, c])
      await until(async () => (await readiness(node)) === '{"status":"ready","nodes":3}');
    const replaced = old.ended;
    const newcomer = await connect(b, { id: old.id });
    expect(await replaced).toMatchObject({ code: 4500 });
    for (const node of [a, b, c]) await answersAt(node);
    expect(newcomer.requests.length).toBe(3);
    expect(await connections(a)).toBe(0);
    expect(await connections(b)).toBe(1);
  });

  test("an agent comes back to another node while the old one hangs, which then lets it go", async () => {
    const [a, b] = await startThree();
    const agent = await connect(a);
    await answersAt(b);
    const old = agent.ended;
    a.kill("SIGSTOP");
    await agent.connect(b.url);
    expect((await chat(b, [{ role: "user", content: "hello" }])).text).toBe("echo: hello");
    a.kill("SIGCONT");
    expect(await old).toMatchObject({ code: 4500 });
    await answersAt(a);
    expect(agent.requests.length).toBe(3);
  });

  test("an agent without a key comes back when the node that hangs counts as lost", async () => {
    const [a, b] = await startThree(["--agents", "open"]);
    const agent = await connect(a, { key: null, reconnectMs: 200 });
    await answersAt(b);
    a.kill("SIGSTOP");
    await agent.connect(b.url);
    expect(await agent.ended).toMatchObject({ code: 4007 });
    await answersAt(b);
    a.kill("SIGCONT");
    await answersAt(a);
    await until(async () => (await connections(a)) === 0);
    expect(await connections(b)).toBe(1);
  });

  test("a conversation with a v1 agent continues at any node, at once", async () => {
    const nodes = await startThree();
    const agent = await connect(nodes[0]);
    for (const node of nodes) await answersAt(node);
    const first = await ask(nodes[1], { content: "first" });
    const { conversation_id, response_id: parent_id } = first.body;
    for (const node of [...nodes, ...nodes]) {
      const { status } = await ask(node, { content: "next", conversation_id, parent_id });
      expect(status).toBe(200);
      expect(agent.requests.at(-1)).toMatchObject({ content: "next", conversation_id });
    }
  });

  test("a chat of the OpenAI-style API with a v1 agent continues at any node, at once", async () => {
    const nodes = await startThree();
    const agent = await connect(nodes[0]);
    for (const node of nodes) await answersAt(node);
    const messages: Message[] = [];
    const ids = new Set<string>();
    for (let turn = 0; turn < 30; turn++) {
      messages.push({ role: "user", content: `turn ${turn}` });
      const node = nodes[turn % nodes.length] ?? nodes[0];
      const { text } = await chat(node, messages);
      expect(text).toBe(`echo: turn ${turn}`);
      messages.push({ role: "assistant", content: text });
      const request = agent.requests.at(-1);
      if (turn > 0 && request) ids.add(request.conversation_id);
    }
    expect(ids.size).toBe(1);
  });

  test("an administrator asks an agent of another node to update itself, if its owner allows it", async () => {
    const [a, b] = await startThree();
    const hello = { ...V2_HELLO, program: "chatgpt-api-server", version: "0.0.9" };
    const allowing = await connectV2Agent(a.url, { hello: { ...hello, capabilities: ["update"] } });
    const other = await connectV2Agent(a.url, { hello });
    const ids = [allowing, other].map(({ ready }) => ready.agent);
    const update = (id = "") => call(b, `/admin/agents/${id}/update`, ADMIN_KEY, {});
    await until(async () => (await update(ids[0])).status === 200);
    expect(await allowing.next("update")).toEqual({ type: "update" });
    await until(async () => (await update(ids[1])).status === 409);
    const { agents } = (await call(b, "/admin/agents", ADMIN_KEY)).body as { agents?: object[] };
    expect(agents).toMatchObject([
      { id: ids[0], newer_version: expect.any(String), can_update: true },
      { id: ids[1], newer_version: expect.any(String), can_update: false },
    ]);
  });

  test("an administrator disconnects an agent of another node", async () => {
    const [a, b, c] = await startThree();
    const agent = await connect(a);
    await answersAt(c);
    const reset = await call(b, `/admin/agents/${agent.id}/reset`, ADMIN_KEY, {});
    expect([reset.status, reset.body["models"] as unknown]).toEqual([200, []]);
    const { status, body } = await call(c, `/admin/agents/${agent.id}/disconnect`, ADMIN_KEY, {});
    expect([status, body]).toEqual([200, { id: agent.id, state: "closed" }]);
    expect(await agent.ended).toMatchObject({ code: 4504 });
    await until(
      async () => (await call(b, `/admin/agents/${agent.id}/disconnect`, ADMIN_KEY, {})).status === 404,
    );
  });

  test("an agent of a killed node is at its new node, and a conversation waits for it", async () => {
    const [a, b, c] = await startThree();
    const agent = await connect(a, { reconnectMs: 50 });
    await answersAt(c);
    const { conversation_id, response_id: parent_id } = (await ask(c, { content: "first" })).body;
    a.kill("SIGKILL");
    await a.exited;
    const followUp = ask(c, { content: "second", conversation_id, parent_id });
    await agent.connect(b.url).catch(() => agent.connect(b.url));
    expect((await followUp).status).toBe(200);
    expect(agent.requests.at(-1)).toMatchObject({ content: "second", conversation_id });
  });
});

async function startThree(args: readonly string[] = []): Promise<[Executable, Executable, Executable]> {
  const [a, b, c] = await startNodes(["node-a", "node-b", "node-c"], args);
  if (!a || !b || !c) throw new Error("three nodes are needed");
  return [a, b, c];
}

/** Returns how many agents are connected to the node itself. */
async function connections(node: Executable): Promise<number> {
  const response = await fetch(`${node.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  const samples = (await response.text()).matchAll(
    /^chatgpt_api_agents(?:_connected)?(?:\{[^}]*\})? (\d+)$/gm,
  );
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}
