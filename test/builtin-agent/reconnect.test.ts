import { describe, expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";
import { comeBack, connectFake, parted, pauses, startTestBridge } from "./start.ts";

describe("losing the server", () => {
  test("leads back, with the same identity, after a pause that doubles up to a minute", async () => {
    const { clock, server, bridge } = connectFake();
    let agent = await server.next();
    expect(agent.hello).not.toHaveProperty("agent");
    const expected = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const [index] of expected.entries()) {
      agent.drop();
      await parted(bridge, index + 1);
      agent = await comeBack(clock, bridge, server);
      expect(agent.hello).toMatchObject({ agent: "agent-1", resume: "secret of agent-1" });
      await until(() => bridge.told.at(-1)?.startsWith("connected") === true);
    }
    expect(pauses(bridge)).toEqual(expected);
  });

  test("begins with a short pause again after a connection that lived a minute", async () => {
    const { clock, server, bridge } = connectFake();
    let agent = await server.next();
    for (const lost of [1, 2]) {
      agent.drop();
      await parted(bridge, lost);
      agent = await comeBack(clock, bridge, server);
      await until(() => bridge.told.at(-1)?.startsWith("connected") === true);
    }
    clock.advance(60_000);
    agent.drop();
    await parted(bridge, 3);
    expect(pauses(bridge)).toEqual([1, 2, 1]);
  });

  test("takes any pause between none and the longest", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    const bridge = startTestBridge(server, { upstream: createEcho(), clock, random: () => 0.25 });
    (await server.next()).drop();
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toEndWith("reconnecting in 0.3 s");
  });

  test("goes on trying where nobody answers, and gets there when somebody does", async () => {
    const server = startAgentServer();
    const { port } = server;
    const clock = createFakeClock();
    const bridge = startTestBridge(server, { upstream: createEcho(), clock, random: () => 1 });
    await server.next();
    await server.stop();
    await parted(bridge, 1);
    clock.advance(1000);
    await parted(bridge, 2);
    expect(bridge.told.at(-1)).toContain("cannot be reached (connection refused); reconnecting in 2.0 s");
    const next = startAgentServer({ port });
    clock.advance(2000);
    expect((await next.next()).hello.agent).toBe("agent-1");
  });

  const closes = Object.values(CLOSE);
  test.each(closes.filter(({ code }) => code < 4500))("with $code leads back", async ({ code, reason }) => {
    const { clock, server, bridge } = connectFake();
    (await server.next()).close(code, reason);
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toContain(`${reason} (${code})`);
    await comeBack(clock, bridge, server);
  });

  test.each([1000, 1001, 1009, 1011, 4499])("with %d leads back", async (code) => {
    const { clock, server, bridge } = connectFake();
    (await server.next()).close(code);
    await parted(bridge, 1);
    await comeBack(clock, bridge, server);
  });

  test.each([...closes.filter(({ code }) => code >= 4500), { code: 4999, reason: "go" }])(
    "with $code is the end, told in a line",
    async ({ code, reason }) => {
      const { clock, server, bridge } = connectFake();
      (await server.next()).close(code, reason);
      const error = await bridge.ended;
      expect(error?.message).toBe(`ws://${server.host}: ${reason} (${code})`);
      expect(error?.exitCode).toBe(1);
      expect(clock.pending()).toBe(0);
    },
  );

  test("after a drain leads back when the server said, spread a little", async () => {
    const { clock, server, bridge } = connectFake();
    const agent = await server.next();
    agent.send({ type: "drain", reconnect_ms: 5000 });
    agent.close(CLOSE.server_draining.code, CLOSE.server_draining.reason);
    await parted(bridge, 1);
    expect(pauses(bridge)).toEqual([6]);
    (await comeBack(clock, bridge, server)).drop();
    await parted(bridge, 2);
    expect(pauses(bridge)).toEqual([6, 1]);
  });
});

describe("a server that hangs", () => {
  test("before the upgrade is left after 10 s", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.refuseWith(() => new Promise<Response>(() => {}));
    const bridge = startTestBridge(server, { upstream: createEcho(), clock, random: () => 1 });
    await until(() => server.requests.length === 1);
    clock.advance(9999);
    expect(pauses(bridge)).toEqual([]);
    clock.advance(1);
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toContain("no answer in time");
  });

  test("before its ready is left after 10 s", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.keepSilent();
    const bridge = startTestBridge(server, { upstream: createEcho(), clock, random: () => 1 });
    await until(() => server.silentHellos() === 1);
    clock.advance(10_000);
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toContain("does not answer the hello");
  });

  test("later is left after 90 s without a frame, and only then", async () => {
    const { clock, server, bridge } = connectFake();
    const agent = await server.next();
    await until(() => bridge.told.length === 1);
    for (let pings = 1; pings <= 3; pings++) {
      clock.advance(89_000);
      agent.send({ type: "ping" });
      await until(() => agent.frames.filter(({ type }) => type === "pong").length === pings);
    }
    expect(pauses(bridge)).toEqual([]);
    clock.advance(90_000);
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toContain("the server is silent");
    await agent.closed;
    await comeBack(clock, bridge, server);
  });
});

describe("a refusal", () => {
  const refused = (status: number, body: object) => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.refuseWith(() => Response.json(body, { status }));
    const bridge = startTestBridge(server, {
      upstream: createEcho(),
      agentKey: "wrong-key",
      clock,
      random: () => 1,
    });
    return { clock, server, bridge };
  };

  test.each([401, 403])("with %d is the end, and the server's hint is told", async (status) => {
    const { server, bridge } = refused(status, {
      error: "Invalid agent key",
      hint: "Use the printed address.",
    });
    const error = await bridge.ended;
    expect(error?.message).toBe(`ws://${server.host}: refused (${status}): Use the printed address.`);
    expect(error?.exitCode).toBe(1);
    const [upgrade, asked] = server.requests;
    expect(asked?.headers.get("authorization")).toBe("Bearer wrong-key");
    expect(asked?.path).toBe(upgrade?.path ?? "");
  });

  test.each([400, 404, 429, 500, 503])("with %d may pass", async (status) => {
    const { clock, server, bridge } = refused(status, { error: "Not now" });
    await parted(bridge, 1);
    expect(bridge.told.at(-1)).toContain(`refused (${status}): Not now`);
    server.refuseWith(undefined);
    await comeBack(clock, bridge, server);
  });
});
