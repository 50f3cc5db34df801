import { describe, expect, test } from "bun:test";
import { readServerAddress } from "../../src/builtin-agent/address.ts";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import type { Inquiry, Upstream } from "../../src/builtin-agent/upstream.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import { chat, connectFake, parted, pauses, startTestBridge, textOf } from "./start.ts";

/** An upstream whose state the test sets. */
function scripted(first: Inquiry) {
  let state = first;
  const upstream: Upstream = { ...createEcho(), shown: "scripted", inquire: async () => state };
  return {
    upstream,
    set: (next: Inquiry) => {
      state = next;
    },
  };
}
const offering = (...ids: string[]): Inquiry => ({
  offer: { models: ids.map((id) => ({ id })), endpoints: ["chat/completions"] },
});
const DOWN: Inquiry = { trouble: "it cannot be reached (connection refused)", unreachable: true };

describe("registering", () => {
  test("says who it is, what it offers and how much it takes, and shows its key in the header only", async () => {
    const server = startAgentServer();
    const key = "the-agent-key-123";
    const bridge = startTestBridge(server, { upstream: createEcho(), agentKey: key, name: "desk", slots: 3 });
    const { hello, headers } = await server.next();
    expect(hello).toEqual({
      type: "hello",
      name: "desk",
      version: "0.0.0",
      slots: 3,
      models: [{ id: "echo", owned_by: "chatgpt-api-server" }],
      endpoints: ["chat/completions"],
    });
    expect(headers.get("authorization")).toBe(`Bearer ${key}`);
    expect(server.requests.map(({ path }) => path)).toEqual(["/client/register"]);
    await until(() => bridge.told.length === 1);
    expect(bridge.told[0]).toBe(`connected to ws://${server.host}, offering 1 model (echo), 3 at once`);
    expect(bridge.told.join() + bridge.logged()).not.toContain(key);
  });

  test("takes the key of the address before another", async () => {
    const server = startAgentServer();
    const address = readServerAddress(`${server.host}/agents/key-in-path/client/register`);
    startTestBridge(server, { upstream: createEcho(), server: address, agentKey: "another-key" });
    expect((await server.next()).headers.get("authorization")).toBe("Bearer key-in-path");
  });

  test("answers pings, also while it works, and ignores what it does not know", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    startTestBridge(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("never", "q") });
    agent.send({ type: "news", of: "later" });
    agent.send({ type: "ask", ask: 7 });
    agent.send({ type: "ping", more: true });
    await agent.frame("pong");
  });
});

describe("the upstream", () => {
  test("that is down at the start is told once, and the server sees the agent when it is up", async () => {
    const { upstream, set } = scripted(DOWN);
    const { clock, server, bridge } = connectFake(upstream);
    for (let tries = 0; tries < 5; tries++) {
      await until(() => clock.pending() === 1);
      clock.advance(60_000);
    }
    expect(bridge.told).toEqual([
      "scripted is not ready: it cannot be reached (connection refused); trying again until it is",
    ]);
    expect(server.requests).toEqual([]);
    set(offering("llama"));
    await until(() => clock.pending() === 1);
    clock.advance(60_000);
    expect((await server.next()).hello.models).toEqual([{ id: "llama" }]);
  });

  test("that lists other models after a minute has that told to the server", async () => {
    const { upstream, set } = scripted(offering("a"));
    const { clock, server, bridge } = connectFake(upstream);
    const agent = await server.next();
    await until(() => bridge.told.length === 1);
    set(offering("a", "b"));
    clock.advance(59_999);
    agent.send({ type: "ping" });
    await agent.frame("pong");
    expect(agent.frames).toHaveLength(1);
    clock.advance(1);
    expect((await agent.frame("update")).models).toEqual([{ id: "a" }, { id: "b" }]);
  });

  test("that changes while the server has not said ready has that told once it does", async () => {
    const { upstream, set } = scripted(offering("a"));
    const clock = createFakeClock();
    const server = startAgentServer();
    const bridge = startTestBridge(server, { upstream, clock, random: () => 1 });
    const before = await server.next();
    await until(() => bridge.told.length === 1);
    // The next refresh falls between the hello and the ready of a second connection.
    clock.advance(55_000);
    const answerHellos = server.keepSilent();
    before.drop();
    await until(() => pauses(bridge).length === 1);
    clock.advance(1000);
    await until(() => server.silentHellos() === 1);
    set(offering("b"));
    clock.advance(4000);
    await Bun.sleep(5);
    answerHellos();
    const agent = await server.next();
    expect(agent.hello.models).toEqual([{ id: "a" }]);
    expect((await agent.frame("update")).models).toEqual([{ id: "b" }]);
  });

  test("that goes away offers nothing until it is back", async () => {
    const { upstream, set } = scripted(offering("a"));
    const { clock, server, bridge } = connectFake(upstream);
    const agent = await server.next();
    await until(() => bridge.told.length === 1);
    set(DOWN);
    clock.advance(60_000);
    expect((await agent.frame("update")).models).toEqual([]);
    set(offering("a"));
    clock.advance(1000);
    await agent.frame("update", ({ models }) => models?.[0]?.id === "a");
    expect(bridge.told.at(-1)).toBe("scripted is there");
  });

  test("that only stumbles once is not taken for gone", async () => {
    const { upstream, set } = scripted(offering("a"));
    const { clock, server, bridge } = connectFake(upstream);
    const agent = await server.next();
    await until(() => bridge.told.length === 1);
    const stumble: Inquiry = { trouble: "it answers 503", unreachable: false };
    set(stumble);
    clock.advance(60_000);
    await Bun.sleep(10);
    expect(agent.frames).toEqual([]);
    clock.advance(1000);
    expect((await agent.frame("update")).models).toEqual([]);
  });

  test("is asked again after a short pause each time that it goes away, and each stumble counts alone", async () => {
    const { upstream, set } = scripted(offering("a"));
    const { clock, server, bridge } = connectFake(upstream);
    const agent = await server.next();
    await until(() => bridge.told.length === 1);
    const updates = () => agent.frames.filter(({ type }) => type === "update").length;
    const stir = async () => {
      agent.send({ type: "ping" });
      const pongs = agent.frames.filter(({ type }) => type === "pong").length;
      await until(() => agent.frames.filter(({ type }) => type === "pong").length > pongs);
    };
    for (const round of [1, 2]) {
      set(DOWN);
      clock.advance(60_000);
      await until(() => updates() === 2 * round - 1);
      set(offering("a"));
      clock.advance(1000);
      await until(() => updates() === 2 * round);
      await stir();
    }
    for (let stumbles = 0; stumbles < 3; stumbles++) {
      set({ trouble: "it answers 503", unreachable: false });
      clock.advance(60_000);
      await stir();
      set(offering("a"));
      clock.advance(1000);
      await stir();
    }
    expect(updates()).toBe(4);
  });

  test("that dies is noticed by the request that fails, and by its return", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    const bridge = startTestBridge(server, { upstream: fault.url, random: () => 0.05 });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("never", "q") });
    await fault.openUntil(({ open }) => open === 1);
    fault.kill("SIGKILL");
    expect((await agent.answer("1")).end).toMatchObject({ type: "fail", retryable: true });
    await agent.frame("update", ({ models }) => models?.length === 0);
    await startFaultUpstream({ port: fault.port });
    await agent.frame("update", ({ models }) => (models?.length ?? 0) > 5);
    agent.ask({ ask: "2", body: chat("echo", "back again") });
    expect(textOf(await agent.answer("2"))).toBe("back again");
    expect(bridge.told.at(-1)).toBe(`${fault.url} is there`);
  });
});

describe("leaving", () => {
  test("pauses, finishes what runs, refuses what was on its way, and closes with 1000", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    const bridge = startTestBridge(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("slow-words", "one two three", { delay_ms: 60 }) });
    await agent.frame("delta");
    const stopped = bridge.stop(4000);
    await agent.frame("pause");
    agent.ask({ ask: "2", body: chat("echo", "too late") });
    expect((await agent.answer("2")).end).toMatchObject({ type: "fail", retryable: true });
    expect(textOf(await agent.answer("1"))).toBe("one two three");
    expect(await agent.closed).toMatchObject({ code: 1000 });
    await stopped;
    expect(await bridge.ended).toBeUndefined();
  });

  test("after the limit cuts what still runs, and says so", async () => {
    const fault = await startFaultUpstream();
    const server = startAgentServer();
    const bridge = startTestBridge(server, { upstream: fault.url });
    const agent = await server.next();
    agent.ask({ ask: "1", body: chat("never", "q") });
    await fault.openUntil(({ open }) => open === 1);
    await bridge.stop(50);
    expect((await agent.answer("1")).end).toMatchObject({ error: { message: "the agent is leaving" } });
    expect(await agent.closed).toMatchObject({ code: 1000 });
    await fault.openUntil(({ open }) => open === 0);
  });

  test("is possible while there is no server, and while there is no upstream", async () => {
    const { clock, server, bridge } = connectFake();
    (await server.next()).drop();
    await parted(bridge, 1);
    await bridge.stop(1000);
    expect(await bridge.ended).toBeUndefined();
    const { clock: other, bridge: waiting } = connectFake(scripted(DOWN).upstream);
    await until(() => other.pending() === 1);
    await waiting.stop(1000);
    expect([clock.pending(), other.pending()]).toEqual([0, 0]);
  });

  test("does not wait for a server that has stopped to answer", async () => {
    const { clock, server, bridge } = connectFake();
    await server.next();
    await until(() => bridge.told.length === 1);
    const stopped = bridge.stop(1000);
    await Bun.sleep(5);
    clock.advance(1000);
    await stopped;
  });
});
