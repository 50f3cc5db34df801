import { describe, expect, onTestFinished, test } from "bun:test";
import { AgentGroup, type GroupMember } from "../../src/builtin-agent/agent-group.ts";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { createHttpUpstream } from "../../src/builtin-agent/http-upstream.ts";
import { readServerAddress } from "../../src/builtin-agent/server/server-address.ts";
import type { Clock } from "../../src/clock.ts";
import { createLog } from "../../src/log/log.ts";
import { agentKeyAt } from "../support/agent-key.ts";
import { type AgentConnection, type AgentServer, startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { untilWaiting } from "../support/queue.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import { RECORDED, serveRecorded } from "./discovery/answers.ts";
import { chat, createScriptedUpstream, DOWN, offering, textOf } from "./start.ts";

/** Starts a group without agents, until the test ends. */
function startGroup(host: string, options: { clock?: Clock; random?: () => number } = {}) {
  const printed: string[] = [];
  let logged = "";
  const write = (line: string) => {
    logged += line;
  };
  const group = new AgentGroup({
    server: readServerAddress(host),
    agentKey: agentKeyAt(host),
    version: "0.0.0",
    log: createLog({ write, level: "debug", say: (words) => printed.push(words) }),
    ...options,
  });
  onTestFinished(() => group.stop(0));
  return { group, printed, logged: () => logged };
}

const member = (name: string, more: Partial<GroupMember> = {}): GroupMember => ({
  ...{ name, upstream: createEcho(), slots: 4, isNamedInLog: true },
  ...more,
});

const modelsAt = (url: string, ...models: string[]) =>
  createHttpUpstream({ url, models, endpoints: ["chat/completions"] });

/** Resolves with the next connections of the agents, by their names. */
async function connections(server: AgentServer, count: number): Promise<Record<string, AgentConnection>> {
  const all: Record<string, AgentConnection> = {};
  for (let left = count; left > 0; left--) {
    const connection = await server.next();
    all[connection.hello.name] = connection;
  }
  return all;
}

const ask = (url: string, model: string, content = "hello") =>
  fetch(`${url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ model, content }),
  });

describe("a group of agents", () => {
  test("each upstream has an agent of its own, with its own slots, models and preference", async () => {
    const server = startAgentServer();
    const { group, printed, logged } = startGroup(server.host);
    group.add(member("desk/a", { slots: 2, claim: { priority: 5 } }));
    group.add(member("desk/b", { upstream: createScriptedUpstream(offering("m")).upstream, slots: "auto" }));
    const { "desk/a": a, "desk/b": b } = await connections(server, 2);
    expect(a?.hello).toMatchObject({ slots: 2, priority: 5, models: [{ id: "echo" }] });
    expect(b?.hello).toMatchObject({ slots: 8, models: [{ id: "m" }] });
    await until(() => printed.length === 2);
    expect(printed.toSorted()).toEqual([
      expect.stringMatching(/^desk\/a: connected to .*1 model \(echo\), up to 2 requests at once$/),
      expect.stringMatching(/^desk\/b: connected to .*1 model \(m\), up to 8 requests at once$/),
    ]);
    expect(logged()).toContain('"name":"desk/b"');
  });

  test("an upstream that goes down and comes back changes nothing for the others", async () => {
    const server = startAgentServer();
    const clock = createFakeClock();
    const { group } = startGroup(server.host, { clock, random: () => 1 });
    const first = createScriptedUpstream(offering("a"));
    group.add(member("a", { upstream: first.upstream }));
    group.add(member("b"));
    const { a, b } = await connections(server, 2);
    if (!a || !b) throw new Error("an agent is missing");
    b.ask({ ask: "1", body: chat("echo", "before") });
    await b.answer("1");
    first.set(DOWN);
    clock.advance(60_000);
    expect((await a.frame("update")).models).toEqual([]);
    b.ask({ ask: "2", body: chat("echo", "meanwhile") });
    expect(textOf(await b.answer("2"))).toBe("meanwhile");
    first.set(offering("a", "c"));
    await until(() => {
      clock.advance(1_000);
      return a.frames.filter(({ type }) => type === "update").length === 2;
    });
    expect((await a.frame("update", ({ models = [] }) => models.length > 0)).models).toEqual([
      { id: "a" },
      { id: "c" },
    ]);
    expect(b.frames.filter(({ type }) => type === "update" || type === "pause")).toEqual([]);
    expect(server.requests).toHaveLength(2);
  });

  test("a request to an upstream that dies before its answer fails so that another may have it", async () => {
    const upstream = await startFaultUpstream();
    const server = startAgentServer();
    const { group } = startGroup(server.host);
    group.add(member("a", { upstream: modelsAt(upstream.url, "never") }));
    group.add(member("b"));
    const { a, b } = await connections(server, 2);
    a?.ask({ ask: "1", body: chat("never", "q") });
    await upstream.openUntil(({ open }) => open === 1);
    await upstream.stop();
    expect((await a?.answer("1"))?.end).toMatchObject({ type: "fail", retryable: true });
    expect((await a?.frame("update"))?.models).toEqual([]);
    b?.ask({ ask: "2", body: chat("echo", "fine") });
    const answer = await b?.answer("2");
    expect(answer && textOf(answer)).toBe("fine");
  });

  test("the slots that an upstream declares are those of its agent, also when they change", async () => {
    const clock = createFakeClock();
    const { props } = { props: { ...RECORDED.llamaCpp.routes["/props"] } };
    const llama = serveRecorded({
      ...RECORDED.llamaCpp,
      routes: { ...RECORDED.llamaCpp.routes, "/props": props },
    });
    const server = startAgentServer();
    const { group, printed } = startGroup(server.host, { clock });
    group.add(
      member("llama", {
        upstream: createHttpUpstream({ url: llama.url, models: [], endpoints: [] }),
        slots: "auto",
      }),
    );
    const agent = await server.next();
    expect(agent.hello.slots).toBe(4);
    await until(() => printed.some((line) => line.includes("connected")));
    props.total_slots = 2;
    await until(() => clock.pending() > 0);
    clock.advance(60_000);
    expect(await agent.frame("update")).toMatchObject({ slots: 2, models: [{ id: "gemma.gguf" }] });
  });

  test("an agent that the administrator disconnects ends, and the others go on", async () => {
    const server = startAgentServer();
    const { group } = startGroup(server.host);
    for (const name of ["a", "b"]) group.add(member(name));
    const { a, b } = await connections(server, 2);
    let ended = false;
    void group.ended.then(() => {
      ended = true;
    });
    a?.close(4504, "disconnected by the administrator");
    await a?.closed;
    b?.ask({ ask: "1", body: chat("echo", "still here") });
    const answer = await b?.answer("1");
    expect(answer && textOf(answer)).toBe("still here");
    expect(ended).toBe(false);
    b?.close(4503, "the agent key was revoked");
    expect((await group.ended)?.message).toContain("the agent key was revoked (4503)");
  });

  test("stopping lets the running requests of all agents finish", async () => {
    const upstream = await startFaultUpstream();
    const server = startAgentServer();
    const { group } = startGroup(server.host);
    for (const name of ["a", "b"])
      group.add(member(name, { upstream: modelsAt(upstream.url, "slow-words") }));
    const both = Object.values(await connections(server, 2));
    for (const agent of both)
      agent.ask({ ask: "1", body: chat("slow-words", "one two three", { delay_ms: 50 }) });
    for (const agent of both) await agent.frame("delta");
    const stopped = group.stop(60_000);
    for (const agent of both) {
      await agent.frame("pause");
      expect(textOf(await agent.answer("1"))).toBe("one two three");
      expect(await agent.closed).toMatchObject({ code: 1000 });
    }
    await stopped;
    expect(await group.ended).toBeUndefined();
    group.add(member("late"));
    expect(server.requests).toHaveLength(2);
  });
});

describe("a group of agents at a server", () => {
  test("requests for a full upstream wait at the server, and those for another one do not", async () => {
    const [full, free] = [await startFaultUpstream(), await startFaultUpstream()];
    const { url } = await startTestServer();
    const { group, printed } = startGroup(new URL(url).host);
    group.add(member("full", { upstream: modelsAt(full.url, "never"), slots: 1 }));
    group.add(member("free", { upstream: modelsAt(free.url, "echo"), slots: 1 }));
    await until(() => printed.filter((line) => line.includes("connected")).length === 2);
    const running = [ask(url, "never"), ask(url, "never")].map((asked) => asked.catch(() => undefined));
    await untilWaiting(url, ADMIN_KEY, 1);
    for (let count = 0; count < 5; count++) {
      const response = await ask(url, "echo", `number ${count}`);
      expect(await response.json()).toMatchObject({ content: `number ${count}` });
    }
    expect((await full.open()).open).toBe(1);
    expect((await free.open()).open).toBe(0);
    await group.stop(0);
    void running;
  });

  test("a model that two upstreams have is served by both", async () => {
    const upstreams = [await startFaultUpstream(), await startFaultUpstream()];
    const { url } = await startTestServer();
    const { group, printed } = startGroup(new URL(url).host);
    for (const { url: base, port } of upstreams)
      group.add(member(`desk/${port}`, { upstream: modelsAt(base, "never"), slots: 1 }));
    await until(() => printed.filter((line) => line.includes("connected")).length === 2);
    const running = [ask(url, "never"), ask(url, "never")].map((asked) => asked.catch(() => undefined));
    for (const upstream of upstreams) await upstream.openUntil(({ open }) => open === 1);
    void running;
  });
});
