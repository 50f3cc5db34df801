import { describe, expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { readServerAddress } from "../../src/builtin-agent/server/server-address.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { settle } from "../support/relay.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import {
  chat,
  connectFake,
  createScriptedUpstream,
  DOWN,
  disconnected,
  startBuiltinAgent,
  textOf,
} from "./start.ts";

describe("registering", () => {
  test("the hello has name, models, endpoints and slots, and the key is sent in the header only", async () => {
    const server = startAgentServer();
    const key = "the-agent-key-123";
    const builtin = startBuiltinAgent(server, {
      upstream: createEcho(),
      agentKey: key,
      name: "desk",
      slots: 3,
    });
    const { hello, headers } = await server.next();
    expect(hello).toEqual({
      type: "hello",
      name: "desk",
      version: "0.0.0",
      program: "chatgpt-api-server",
      capabilities: ["bytes"],
      slots: 3,
      models: [{ id: "echo", owned_by: "chatgpt-api-server" }],
      endpoints: ["chat/completions"],
    });
    expect(headers.get("authorization")).toBe(`Bearer ${key}`);
    expect(server.requests.map(({ path }) => path)).toEqual(["/client/register"]);
    await until(() => builtin.printed.length === 1);
    expect(builtin.printed[0]).toBe(
      `connected to ws://${server.host}, offering 1 model (echo), up to 3 requests at once`,
    );
    expect(builtin.printed.join() + builtin.logged()).not.toContain(key);
  });

  test("an agent that may be updated says so, and is called when the server asks", async () => {
    const server = startAgentServer();
    let asked = 0;
    startBuiltinAgent(server, { upstream: createEcho(), onUpdate: () => asked++ });
    const connection = await server.next();
    expect(connection.hello.capabilities).toEqual(["update", "bytes"]);
    connection.send({ type: "update" });
    await until(() => asked === 1);
  });

  test("the key in the address is used before any other", async () => {
    const server = startAgentServer();
    const address = readServerAddress(`${server.host}/agents/key-in-path/client/register`);
    startBuiltinAgent(server, { upstream: createEcho(), server: address, agentKey: "another-key" });
    expect((await server.next()).headers.get("authorization")).toBe("Bearer key-in-path");
  });

  test("the agent answers pings while it works, and ignores unknown frames", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    startBuiltinAgent(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("never", "q") });
    agent.send({ type: "news", of: "later" });
    agent.send({ type: "ask", ask: 7 });
    agent.send({ type: "ping", more: true });
    await agent.frame("pong");
  });
});

describe("leaving", () => {
  test("a stopped agent pauses, finishes its asks, refuses late ones, and closes with 1000", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    const builtin = startBuiltinAgent(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("slow-words", "one two three", { delay_ms: 1500 }) });
    await agent.frame("delta");
    const stopped = builtin.stop(60_000);
    await agent.frame("pause");
    agent.ask({ ask: "2", body: chat("echo", "too late") });
    expect((await agent.answer("2")).end).toMatchObject({ type: "fail", retryable: true });
    expect(textOf(await agent.answer("1"))).toBe("one two three");
    expect(await agent.closed).toMatchObject({ code: 1000 });
    await stopped;
    expect(await builtin.ended).toBeUndefined();
  });

  test("an agent that is stopped with a limit ends the asks that take longer, and tells the server", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    const builtin = startBuiltinAgent(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("never", "q") });
    await fault.openUntil(({ open }) => open === 1);
    await builtin.stop(50);
    expect((await agent.answer("1")).end).toMatchObject({ error: { message: "the agent is leaving" } });
    expect(await agent.closed).toMatchObject({ code: 1000 });
    await fault.openUntil(({ open }) => open === 0);
  });

  test("an agent can be stopped while it has no server or no upstream", async () => {
    const { clock, server, builtin } = connectFake();
    (await server.next()).drop();
    await disconnected(builtin, 1);
    await builtin.stop(1000);
    expect(await builtin.ended).toBeUndefined();
    const { clock: other, builtin: waiting } = connectFake(createScriptedUpstream(DOWN).upstream);
    await until(() => other.pending() === 1);
    await waiting.stop(1000);
    expect([clock.pending(), other.pending()]).toEqual([0, 0]);
  });

  test("a stopped agent does not wait for a server that no longer answers", async () => {
    const { clock, server, builtin } = connectFake();
    await server.next();
    await until(() => builtin.printed.length === 1);
    const stopped = builtin.stop(1000);
    await settle();
    clock.advance(1000);
    await stopped;
  });
});

test.each([
  ["a server that knows the frame", 60_000, ["accept", "announce", "done"]],
  ["a server that does not know it", undefined, ["accept", "done"]],
])("a large answer is announced to %s as expected", async (_, silenceMs, expected) => {
  const server = startAgentServer(silenceMs === undefined ? {} : { silenceMs });
  startBuiltinAgent(server, { upstream: createEcho() });
  const agent = await server.next();
  const body = chat("echo", "x".repeat(200 * 1024), { stream: false });
  agent.ask({ ask: "1", stream: false, body });
  await agent.answer("1");
  expect(agent.frames.map(({ type }) => type)).toEqual(expected as never);
});
