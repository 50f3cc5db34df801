import { expect, test } from "bun:test";
import type { UpstreamStatus } from "../../src/builtin-agent/upstream.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/relay.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import {
  chat,
  connectFake,
  createScriptedUpstream,
  DOWN,
  offering,
  pauses,
  startBuiltinAgent,
  textOf,
} from "./start.ts";

test("an upstream that is down at the start is reported once, and the agent registers once it is up", async () => {
  const { upstream, set } = createScriptedUpstream(DOWN);
  const { clock, server, builtin } = connectFake(upstream);
  for (let tries = 0; tries < 5; tries++) {
    await until(() => clock.pending() === 1);
    clock.advance(60_000);
  }
  expect(builtin.printed).toEqual([
    "scripted is not available: it cannot be reached (connection refused); retrying until it is",
  ]);
  expect(server.requests).toEqual([]);
  set(offering("llama"));
  await until(() => clock.pending() === 1);
  clock.advance(60_000);
  expect((await server.next()).hello.models).toEqual([{ id: "llama" }]);
});

test("when the upstream lists other models, the server gets an update within a minute", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const { clock, server, builtin } = connectFake(upstream);
  const agent = await server.next();
  await until(() => builtin.printed.length === 1);
  set(offering("a", "b"));
  clock.advance(59_999);
  agent.send({ type: "ping" });
  await agent.frame("pong");
  expect(agent.frames).toHaveLength(1);
  clock.advance(1);
  expect((await agent.frame("update")).models).toEqual([{ id: "a" }, { id: "b" }]);
});

test("when the models change before the server is ready, the update is sent once it is", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const clock = createFakeClock();
  const server = startAgentServer();
  const builtin = startBuiltinAgent(server, { upstream, clock, random: () => 1 });
  const before = await server.next();
  await until(() => builtin.printed.length === 1);
  // The next check falls between the hello and the ready of a second connection.
  clock.advance(55_000);
  const answerHellos = server.keepSilent();
  before.drop();
  await until(() => pauses(builtin).length === 1);
  clock.advance(1000);
  await until(() => server.silentHellos() === 1);
  set(offering("b"));
  clock.advance(4000);
  await settle();
  answerHellos();
  const agent = await server.next();
  expect(agent.hello.models).toEqual([{ id: "a" }]);
  expect((await agent.frame("update")).models).toEqual([{ id: "b" }]);
});

test("when the upstream goes down, the agent offers no models until it is up again", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const { clock, server, builtin } = connectFake(upstream);
  const agent = await server.next();
  await until(() => builtin.printed.length === 1);
  set(DOWN);
  clock.advance(60_000);
  expect((await agent.frame("update")).models).toEqual([]);
  set(offering("a"));
  clock.advance(1000);
  await agent.frame("update", ({ models }) => models?.[0]?.id === "a");
  expect(builtin.printed.at(-1)).toBe("scripted is available again");
});

test("an upstream that fails one check does not count as down", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const { clock, server, builtin } = connectFake(upstream);
  const agent = await server.next();
  await until(() => builtin.printed.length === 1);
  const failure: UpstreamStatus = { problem: "it responds with status 503", unreachable: false };
  set(failure);
  clock.advance(60_000);
  await settle();
  agent.send({ type: "ping" });
  await agent.frame("pong");
  expect(agent.frames).toHaveLength(1);
  clock.advance(1000);
  expect((await agent.frame("update")).models).toEqual([]);
});

test("the pauses start short each time the upstream goes down, and single failures do not add up", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const { clock, server, builtin } = connectFake(upstream);
  const agent = await server.next();
  await until(() => builtin.printed.length === 1);
  const updates = () => agent.frames.filter(({ type }) => type === "update").length;
  const roundTrip = async () => {
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
    await roundTrip();
  }
  for (let failures = 0; failures < 3; failures++) {
    set({ problem: "it responds with status 503", unreachable: false });
    clock.advance(60_000);
    await roundTrip();
    set(offering("a"));
    clock.advance(1000);
    await roundTrip();
  }
  expect(updates()).toBe(4);
});

test("an upstream that is killed is noticed by the request that fails, and so is its return", async () => {
  const fault = await startFaultUpstream();
  const server = startAgentServer();
  const builtin = startBuiltinAgent(server, { upstream: fault.url, random: () => 0.05 });
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
  expect(builtin.printed.at(-1)).toBe(`${fault.url} is available again`);
});

test("chosen models that the upstream does not list are offered, with one warning", async () => {
  const unlisted = { models: ["nosuch"], listed: ["a", "b", "c", "d", "e", "f"] };
  const { upstream } = createScriptedUpstream({ ...offering("nosuch"), unlisted });
  const { clock, server, builtin } = connectFake(upstream);
  expect((await server.next()).hello.models).toEqual([{ id: "nosuch" }]);
  await until(() => builtin.printed.length === 2);
  clock.advance(60_000);
  await settle();
  expect(builtin.printed.filter((line) => !line.startsWith("connected"))).toEqual([
    "scripted does not list nosuch; requests for it may fail. It lists a, b, c, d, e, …",
  ]);
});

test("an agent says once that it waits for a slow upstream", async () => {
  const { promise, resolve } = Promise.withResolvers<UpstreamStatus>();
  const { upstream } = createScriptedUpstream(DOWN);
  const { clock, server, builtin } = connectFake({ ...upstream, check: () => promise });
  clock.advance(4_999);
  expect(builtin.printed).toEqual([]);
  clock.advance(1);
  expect(builtin.printed).toEqual(["waiting for scripted to list its models, for up to a minute"]);
  resolve(offering("a"));
  await server.next();
});
