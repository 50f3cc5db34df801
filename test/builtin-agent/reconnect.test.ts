import { describe, expect, onTestFinished, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import type { Clock } from "../../src/clock.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";
import { connectFake, disconnected, pauses, reconnect, startBuiltinAgent } from "./start.ts";

describe("losing the server", () => {
  test("the agent reconnects with the same identity, after a pause that doubles up to a minute", async () => {
    const { clock, server, builtin } = connectFake();
    let agent = await server.next();
    expect(agent.hello).not.toHaveProperty("agent");
    const expected = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const [index] of expected.entries()) {
      agent.drop();
      await disconnected(builtin, index + 1);
      agent = await reconnect(clock, builtin, server);
      expect(agent.hello).toMatchObject({ agent: "agent-1", resume: "secret of agent-1" });
      await until(() => builtin.printed.at(-1)?.startsWith("connected") === true);
    }
    expect(pauses(builtin)).toEqual(expected);
  });

  test("after a connection that was up for a minute the pauses are short again", async () => {
    const { clock, server, builtin } = connectFake();
    let agent = await server.next();
    for (const lost of [1, 2]) {
      agent.drop();
      await disconnected(builtin, lost);
      agent = await reconnect(clock, builtin, server);
      await until(() => builtin.printed.at(-1)?.startsWith("connected") === true);
    }
    clock.advance(60_000);
    agent.drop();
    await disconnected(builtin, 3);
    expect(pauses(builtin)).toEqual([1, 2, 1]);
  });

  test("the pause is random between none and the longest", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock, random: () => 0.25 });
    (await server.next()).drop();
    await disconnected(builtin, 1);
    expect(builtin.printed.at(-1)).toEndWith("reconnecting in 0.3 s");
  });

  test("the agent keeps trying while nothing listens, and connects once a server does", async () => {
    const server = startAgentServer();
    const { port } = server;
    const clock = createFakeClock();
    const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock, random: () => 1 });
    await server.next();
    await server.stop();
    await disconnected(builtin, 1);
    clock.advance(1000);
    await disconnected(builtin, 2);
    expect(builtin.printed.at(-1)).toContain("cannot be reached (connection refused); reconnecting in 2.0 s");
    const next = startAgentServer({ port });
    clock.advance(2000);
    expect((await next.next()).hello.agent).toBe("agent-1");
  });

  const closes = Object.values(CLOSE);
  test.each(closes.filter(({ code }) => code < 4500))(
    "the agent reconnects after the close code $code",
    async ({ code, reason }) => {
      const { clock, server, builtin } = connectFake();
      (await server.next()).close(code, reason);
      await disconnected(builtin, 1);
      expect(builtin.printed.at(-1)).toContain(`${reason} (${code})`);
      await reconnect(clock, builtin, server);
    },
  );

  test.each([1000, 1001, 1009, 1011, 4499])("the agent reconnects after the close code %d", async (code) => {
    const { clock, server, builtin } = connectFake();
    (await server.next()).close(code);
    await disconnected(builtin, 1);
    await reconnect(clock, builtin, server);
  });

  test.each([...closes.filter(({ code }) => code >= 4500), { code: 4999, reason: "go" }])(
    "the close code $code ends the agent, with one line that says why",
    async ({ code, reason }) => {
      const { clock, server, builtin } = connectFake();
      (await server.next()).close(code, reason);
      const error = await builtin.ended;
      expect(error?.message).toBe(`ws://${server.host}: ${reason} (${code})`);
      expect(error?.exitCode).toBe(1);
      expect(clock.pending()).toBe(0);
    },
  );

  test.each(closes.filter(({ code }) => code >= 4500))(
    "an agent in the server's process comes back after the close code $code, under a new identity",
    async ({ code, reason }) => {
      const clock = createFakeClock();
      const server = startAgentServer();
      const options = { upstream: createEcho(), clock, random: () => 1, alwaysReturns: true };
      const builtin = startBuiltinAgent(server, options);
      (await server.next()).close(code, reason);
      await disconnected(builtin, 1);
      expect(builtin.printed.at(-1)).toContain(`${reason} (${code}); reconnecting in 1.0 s`);
      expect((await reconnect(clock, builtin, server)).hello).not.toHaveProperty("agent");
    },
  );

  test("after a drain the agent reconnects when the server asked it to, spread a little", async () => {
    const { clock, server, builtin } = connectFake();
    const agent = await server.next();
    agent.send({ type: "drain", reconnect_ms: 5000 });
    agent.close(CLOSE.server_draining.code, CLOSE.server_draining.reason);
    await disconnected(builtin, 1);
    expect(pauses(builtin)).toEqual([6]);
    (await reconnect(clock, builtin, server)).drop();
    await disconnected(builtin, 2);
    expect(pauses(builtin)).toEqual([6, 1]);
  });
});

describe("a server that speaks TLS", () => {
  const HINT = "Does this server speak TLS? Then use https:// in its address; reconnecting in";

  test("a cut connection or a 400 that names HTTPS makes the agent ask for https:// in the address", async () => {
    const cut = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end() },
    });
    onTestFinished(() => cut.stop(true));
    const server = startAgentServer();
    server.refuseWith(
      () => new Response("<h1>The plain HTTP request was sent to HTTPS port</h1>", { status: 400 }),
    );
    for (const { host, reason } of [
      { host: `127.0.0.1:${cut.port}`, reason: "cannot be reached (connection reset)" },
      { host: server.host, reason: "refused (400)" },
    ]) {
      const builtin = startBuiltinAgent({ host }, { upstream: createEcho(), clock: createFakeClock() });
      await disconnected(builtin, 1);
      expect(builtin.printed.at(-1)).toContain(`${reason}. ${HINT}`);
    }
  });

  test("the agent does not ask for https:// if the address has it, or if nothing listens", async () => {
    const cut = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end() },
    });
    for (const start of ["https://", ""]) {
      if (start === "") cut.stop(true);
      const host = `${start}127.0.0.1:${cut.port}`;
      const builtin = startBuiltinAgent({ host }, { upstream: createEcho(), clock: createFakeClock() });
      await disconnected(builtin, 1);
      expect(builtin.printed.at(-1)).toContain("cannot be reached");
      expect(builtin.printed.at(-1)).not.toContain("TLS?");
    }
  });
});

describe("a server that hangs", () => {
  test("a server that does not answer the upgrade is left after 10 s", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.refuseWith(() => new Promise<Response>(() => {}));
    const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock, random: () => 1 });
    await until(() => server.requests.length === 1);
    clock.advance(9999);
    expect(pauses(builtin)).toEqual([]);
    clock.advance(1);
    await disconnected(builtin, 1);
    expect(builtin.printed.at(-1)).toContain("no response in time");
  });

  test("a server that does not answer the hello is left after 10 s", async () => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.keepSilent();
    const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock, random: () => 1 });
    await until(() => server.silentHellos() === 1);
    clock.advance(10_000);
    await disconnected(builtin, 1);
    expect(builtin.printed.at(-1)).toContain("does not answer the hello");
  });

  test("a server that sends nothing for 90 s is left, and not before", async () => {
    const { clock, server, builtin } = connectFake();
    const agent = await server.next();
    await until(() => builtin.printed.length === 1);
    for (let pings = 1; pings <= 3; pings++) {
      clock.advance(89_000);
      agent.send({ type: "ping" });
      await until(() => agent.frames.filter(({ type }) => type === "pong").length === pings);
    }
    expect(pauses(builtin)).toEqual([]);
    clock.advance(90_000);
    await disconnected(builtin, 1);
    expect(builtin.printed.at(-1)).toContain("the server is silent");
    await agent.closed;
    await reconnect(clock, builtin, server);
  });

  test("a server that announces a large frame has as much more time as the frame takes on a slow line", async () => {
    const clock = createFakeClock();
    const delays: number[] = [];
    const after: Clock["after"] = (delayMs, run) => {
      delays.push(delayMs);
      return clock.after(delayMs, run);
    };
    const server = startAgentServer();
    startBuiltinAgent(server, { upstream: createEcho(), clock: { ...clock, after } });
    const agent = await server.next();
    agent.send({ type: "announce", bytes: 512 * 1024 });
    await until(() => delays.includes(80_000 + 16_384));
    // No frame is larger than the server's limit of 1 MB.
    agent.send({ type: "announce", bytes: Number.MAX_SAFE_INTEGER });
    await until(() => delays.includes(80_000 + 32_768));
  });

  test("a server that sends no frames but answers pings is not left", async () => {
    const clock = createFakeClock();
    let scheduled = 0;
    const after: Clock["after"] = (delayMs, run) => {
      scheduled++;
      return clock.after(delayMs, run);
    };
    const server = startAgentServer();
    const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock: { ...clock, after } });
    await server.next();
    await until(() => builtin.printed.length === 1);
    for (let pings = 1; pings <= 4; pings++) {
      const before = scheduled;
      clock.advance(80_000);
      // The check of the upstream, the limit for the pong, and the next wait once the pong has come.
      await until(() => server.pings() === pings && scheduled >= before + 3);
    }
    expect(pauses(builtin)).toEqual([]);
  });
});

describe("a refused registration", () => {
  const refused = (status: number, body: object) => {
    const clock = createFakeClock();
    const server = startAgentServer();
    server.refuseWith(() => Response.json(body, { status }));
    const builtin = startBuiltinAgent(server, {
      upstream: createEcho(),
      agentKey: "wrong-key",
      clock,
      random: () => 1,
    });
    return { clock, server, builtin };
  };

  test.each([401, 403])("a refusal with %d ends the agent, with the server's hint", async (status) => {
    const { server, builtin } = refused(status, {
      error: "Invalid agent key",
      hint: "Use the printed address.",
    });
    const error = await builtin.ended;
    expect(error?.message).toBe(`ws://${server.host}: refused (${status}): Use the printed address.`);
    expect(error?.exitCode).toBe(1);
    const [upgrade, asked] = server.requests;
    expect(asked?.headers.get("authorization")).toBe("Bearer wrong-key");
    expect(asked?.path).toBe(upgrade?.path ?? "");
  });

  test.each([400, 404, 429, 500, 503])("the agent retries after a refusal with %d", async (status) => {
    const { clock, server, builtin } = refused(status, { error: "Not now" });
    await disconnected(builtin, 1);
    expect(builtin.printed.at(-1)).toContain(`refused (${status}): Not now`);
    server.refuseWith(undefined);
    await reconnect(clock, builtin, server);
  });
});
