import { describe, expect, onTestFinished, test } from "bun:test";
import { createEcho } from "../../../src/builtin-agent/echo.ts";
import { startAgentServer } from "../../support/agent-server.ts";
import { type BlockingProxy, startBlockingProxy, type UpgradeRule } from "../../support/blocking-proxy.ts";
import { advanceUntil, createFakeClock, type FakeClock } from "../../support/clock.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { disconnected, pauses, reconnect, startBuiltinAgent, type TestBuiltinAgent } from "../start.ts";

interface Scene {
  server: TestServer;
  network: BlockingProxy;
  builtin: TestBuiltinAgent;
  clock: FakeClock;
}

/** An agent in a network without WebSockets, which reconnects without a pause. Its time moves until it has registered. */
async function scene(
  upgrades: UpgradeRule,
  upstream: ReturnType<typeof createEcho> | string = createEcho(),
): Promise<Scene> {
  const server = await startTestServer();
  const network = await startBlockingProxy(Number(new URL(server.url).port), { upgrades });
  const clock = createFakeClock();
  const builtin = startBuiltinAgent(
    { host: `127.0.0.1:${network.port}` },
    { upstream, agentKey: server.agentKey, clock, random: () => 0 },
  );
  const step = upgrades === "swallow" ? 1_000 : 10;
  await until(() => {
    clock.advance(step);
    return builtin.printed.some((line) => line.startsWith("connected to"));
  });
  return { server, network, builtin, clock };
}

async function ask({ url }: TestServer, content: string, model = "echo"): Promise<string> {
  const response = await fetch(`${url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ content, model }),
  });
  const body = await response.text();
  return (JSON.parse(body) as { content?: string }).content ?? body;
}

async function transport({ url }: TestServer): Promise<unknown> {
  const response = await fetch(`${url}/admin/agents`, { headers: { authorization: ADMIN_KEY } });
  const { agents } = (await response.json()) as { agents: { id: string; transport: string }[] };
  return agents.map((agent) => agent.transport);
}

/** Lets time pass in steps, so that requests which it ends are repeated meanwhile. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(Math.min(left, 500));
    await Bun.sleep(5);
  }
}

/** Does the same for `until`, as a request may have to be repeated after a pause. */
const untilPassing = (clock: FakeClock, isSo: () => boolean | Promise<boolean>): Promise<void> =>
  until(() => {
    clock.advance(100);
    return isSo();
  });

const isBack = ({ printed }: TestBuiltinAgent) =>
  printed.some((line) => line.includes("WebSockets get through again"));

describe("where WebSockets do not get through", () => {
  test.each<[UpgradeRule, number]>([
    ["strip", 2],
    ["refuse", 2],
    ["cut", 2],
    ["swallow", 2],
  ])(
    "after two attempts the agent long-polls, when a request for one is treated so: %s",
    async (rule, attempts) => {
      const { server, network, builtin } = await scene(rule);
      expect(network.upgrades()).toBe(attempts);
      expect(builtin.printed.join("\n")).toContain(
        "WebSockets do not get through, so the agent tries long-polling",
      );
      expect(builtin.logged()).toContain('"event":"long_polling"');
      expect(await ask(server, "one  two\nthree")).toBe("one  two\nthree");
      expect(await transport(server)).toEqual(["long-polling"]);
    },
  );

  test("an agent that stops finishes its requests, and leaves at once", async () => {
    const { server, builtin } = await scene("strip");
    await builtin.stop(0);
    await until(async () => JSON.stringify(await transport(server)) === "[]");
  });

  test("when the server restarts, the agent connects again under its identity", async () => {
    const { server, builtin, clock } = await scene("strip");
    const port = Number(new URL(server.url).port);
    await server.stop();
    const next = await startTestServer([], { data: server.data, port });
    await until(() => {
      clock.advance(100);
      return builtin.printed.filter((line) => line.startsWith("connected to")).length === 2;
    });
    const ids = [...builtin.logged().matchAll(/"event":"server_connected".*?"agent":"(.*?)"/g)].map(
      ([, id]) => id,
    );
    expect(ids[1]).toBe(ids[0]);
    expect(await transport(next)).toEqual(["long-polling"]);
  });
});

describe("when WebSockets get through again", () => {
  test("the agent moves to one after a minute, under its identity", async () => {
    const { server, network, builtin, clock } = await scene("strip");
    await pass(clock, 55_000);
    expect(network.upgrades()).toBe(2);
    network.setUpgrades("pass");
    await pass(clock, 5_000);
    await untilPassing(clock, () => isBack(builtin));
    await untilPassing(clock, async () => JSON.stringify(await transport(server)) === '["websocket"]');
    const ids = [...builtin.logged().matchAll(/"event":"server_connected".*?"agent":"(.*?)"/g)].map(
      ([, id]) => id,
    );
    expect([ids.length, ids[1]]).toEqual([2, ids[0]]);
    expect(await ask(server, "after")).toBe("after");
    expect(await ask(server, "again")).toBe("again");
    // Two that did not get through, the probe, and the one that is used: no ask makes the agent move again.
    expect(network.upgrades()).toBe(4);
    expect(builtin.printed.filter((line) => line.includes("reconnecting")).length).toBe(2);
  });

  test("an agent with a request moves when that has ended, and loses nothing", async () => {
    const gate = Promise.withResolvers<void>();
    const upstream = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      async fetch(request) {
        if (request.method === "GET") return Response.json({ data: [{ id: "slow" }] });
        const { messages } = (await request.json()) as { messages?: unknown };
        if (!messages) return new Response("{}", { status: 400 });
        await gate.promise;
        return Response.json({
          object: "chat.completion",
          choices: [{ index: 0, message: { role: "assistant", content: "late" }, finish_reason: "stop" }],
        });
      },
    });
    onTestFinished(() => upstream.stop(true));
    const { server, network, builtin, clock } = await scene("strip", `http://127.0.0.1:${upstream.port}/v1`);
    const answer = ask(server, "q", "slow");
    await untilPassing(clock, async () => (await inUse(server)) === 1);
    network.setUpgrades("pass");
    await pass(clock, 60_000);
    await untilPassing(clock, () => network.upgrades() === 3);
    await pass(clock, 5_000);
    expect(isBack(builtin)).toBe(false);
    gate.resolve();
    expect(await advanceUntil(clock, answer)).toBe("late");
    await untilPassing(clock, () => isBack(builtin));
    expect(await ask(server, "again", "slow")).toBe("late");
  });
});

async function inUse({ url }: TestServer): Promise<number> {
  const response = await fetch(`${url}/admin/agents`, { headers: { authorization: ADMIN_KEY } });
  const { agents } = (await response.json()) as { agents: { in_use: number }[] };
  return agents.reduce((sum, agent) => sum + agent.in_use, 0);
}

test("an agent goes on trying a WebSocket at a server that knows no long-polling", async () => {
  const clock = createFakeClock();
  const server = startAgentServer();
  const answerHellos = server.keepSilent();
  const builtin = startBuiltinAgent(server, { upstream: createEcho(), clock, random: () => 1 });
  for (const silent of [1, 2, 3]) {
    await until(() => server.silentHellos() === silent);
    clock.advance(10_000);
    await disconnected(builtin, silent);
    if (silent < 3) clock.advance(1_000 * (pauses(builtin).at(-1) ?? 0));
  }
  expect(server.requests.some(({ path }) => path === "/client/poll")).toBe(true);
  answerHellos();
  await reconnect(clock, builtin, server);
});
