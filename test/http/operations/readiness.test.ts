import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { healthRoutes } from "../../../src/http/operations/health.ts";
import { createReadiness } from "../../../src/http/operations/readiness.ts";
import { firefoxAgent } from "../../support/agents.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createRelayBench } from "../../support/relay.ts";
import { startTestServer } from "../../support/server.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";
import { joinAgent } from "../../support/transport.ts";
import { connectV2Agent } from "../../support/v2-agent.ts";

const NO_AGENT = "no agent accepts requests";

async function ready(url: string, query = "") {
  const response = await fetch(`${url}/ready${query}`);
  return [response.status, await response.json()];
}

describe("GET /ready", () => {
  test("GET /ready needs an agent that accepts requests, busy or not, or as many as the query says", async () => {
    const server = await startTestServer();
    expect(await ready(server.url)).toEqual([503, { status: "not ready", reasons: [NO_AGENT] }]);
    expect(await ready(server.url, "?agents=0")).toEqual([200, { status: "ready" }]);
    const v2 = await connectV2Agent(server.url);
    expect(await ready(server.url)).toEqual([200, { status: "ready" }]);
    const reasons = ["fewer than 2 agents accept requests"];
    expect(await ready(server.url, "?agents=2")).toEqual([503, { status: "not ready", reasons }]);
    v2.say({ type: "pause" });
    // When the second agent is registered, the pause of the first has been read.
    const v1 = await firefoxAgent(server.url);
    expect(await ready(server.url, "?agents=2")).toMatchObject([503, {}]);
    expect(await ready(server.url)).toEqual([200, { status: "ready" }]);
    await v1.stop();
    expect(await ready(server.url, "?agents=none")).toMatchObject([400, { error: "Invalid request" }]);
  });

  test("GET /ready answers HEAD and is not cached, and GET /health is as before", async () => {
    const server = await startTestServer();
    const head = await fetch(`${server.url}/ready`, { method: "HEAD" });
    expect([head.status, head.headers.get("cache-control"), await head.text()]).toEqual([
      503,
      "no-store",
      "",
    ]);
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
  });

  test("GET /ready tells that the server is shutting down", async () => {
    const server = await startTestServer(["--drain", "2s"]);
    const agent = await connectV2Agent(server.url);
    const asked = fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: "admin-key-of-the-tests" },
      body: '{"content":"hi"}',
    });
    const { ask } = await agent.next("ask");
    const stopped = server.stop();
    const reasons = ["the server is shutting down"];
    expect(await ready(server.url)).toEqual([503, { status: "not ready", reasons }]);
    agent.say({ type: "delta", ask, data: '{"choices":[{"delta":{"content":"x"}}]}' });
    agent.say({ type: "done", ask, status: 200 });
    expect((await asked).status).toBe(200);
    await stopped;
  });
});

describe("readiness", () => {
  function bench(checkStore: () => Promise<void> = async () => {}, queueMax = 1000, storeGraceMs = 0) {
    const clock = createFakeClock();
    const { relay, ask } = createRelayBench({ queueMax });
    const state = createReadiness({
      relay,
      checkStore,
      queueMax: () => queueMax,
      storeGraceMs,
      now: clock.now,
    });
    const readiness = async (agentsMin: number) => (await state(agentsMin)).reasons;
    return { clock, relay, ask, readiness, state };
  }

  test("the server is not ready once the queue is full", async () => {
    const { relay, ask, readiness } = bench(undefined, 2);
    joinAgent(relay, "a");
    for (let n = 0; n < 2; n++) void ask("q");
    expect(await readiness(1)).toEqual([]);
    void ask("q");
    expect(await readiness(1)).toEqual(["the queue is full"]);
  });

  test("a node without agents is ready when other nodes have enough", async () => {
    const { clock, relay } = bench();
    const options = { relay, checkStore: async () => {}, queueMax: () => 10, now: clock.now };
    const state = createReadiness({ ...options, agentsElsewhere: () => 1 });
    expect((await state(1)).reasons).toEqual([]);
    joinAgent(relay, "a");
    expect((await state(2)).reasons).toEqual([]);
    expect((await state(3)).reasons).toEqual(["fewer than 3 agents accept requests"]);
  });

  test("a server whose certificate has expired is not ready, and one whose renewal fails is degraded", async () => {
    const { clock, relay } = bench();
    const certificate = {
      expiresAt: clock.now() + 1_000,
      renewal: { failure: "refused" as string | undefined },
    };
    const options = { relay, checkStore: async () => {}, queueMax: () => 10, now: clock.now };
    const state = createReadiness({ ...options, certificate: () => certificate });
    expect(await state(0)).toEqual({ reasons: [], degraded: ["certificate"] });
    certificate.renewal.failure = undefined;
    expect(await state(0)).toEqual({ reasons: [], degraded: [] });
    clock.advance(1_000);
    expect((await state(0)).reasons).toEqual(["the certificate has expired"]);
  });

  test("the store is checked at most once a second, however often readiness is asked for", async () => {
    let looks = 0;
    const { clock, readiness } = bench(async () => {
      if (++looks === 2) throw new Error("disk full");
    });
    for (let n = 0; n < 5; n++) expect(await readiness(0)).toEqual([]);
    clock.advance(999);
    expect([await readiness(0), looks]).toEqual([[], 1]);
    clock.advance(1);
    expect([await readiness(0), await readiness(0), looks]).toEqual([
      ["the database cannot be written"],
      ["the database cannot be written"],
      2,
    ]);
    clock.advance(1000);
    expect(await readiness(0)).toEqual([]);
  });

  test("the server is ready while NATS is away, and says that it is degraded", async () => {
    const { relay } = createRelayBench();
    let isNatsAway = true;
    const state = createReadiness({
      ...{ relay, checkStore: () => Promise.resolve(), queueMax: () => 10, now: () => 0 },
      isNatsAway: () => isNatsAway,
    });
    expect(await state(0)).toEqual({ reasons: [], degraded: ["nats"] });
    isNatsAway = false;
    expect(await state(0)).toEqual({ reasons: [], degraded: [] });
  });

  test("the server is ready while the store is away and known users count, and says that it is degraded", async () => {
    let works = true;
    const check = () => (works ? Promise.resolve() : Promise.reject(new Error("away")));
    const { clock, state } = bench(check, 1000, 60_000);
    clock.advance(100_000);
    expect(await state(0)).toEqual({ reasons: [], degraded: [] });
    works = false;
    // Nobody has asked for long.
    clock.advance(100_000);
    expect(await state(0)).toEqual({ reasons: [], degraded: ["store"] });
    clock.advance(59_999);
    expect(await state(0)).toEqual({ reasons: [], degraded: ["store"] });
    clock.advance(1_000);
    expect(await state(0)).toEqual({ reasons: ["the database cannot be written"], degraded: [] });
    works = true;
    clock.advance(1_000);
    expect(await state(0)).toEqual({ reasons: [], degraded: [] });
  });

  test("the server is ready while NATS is away, and says that it is degraded", async () => {
    const nats = { isAway: true };
    const { relay } = createRelayBench();
    const options = { relay, checkStore: async () => {}, queueMax: () => 9, now: () => 0 };
    const state = createReadiness({ ...options, isNatsAway: () => nats.isAway });
    expect(await state(0)).toEqual({ reasons: [], degraded: ["nats"] });
    nats.isAway = false;
    expect(await state(0)).toEqual({ reasons: [], degraded: [] });
  });

  test("readiness lists every reason", async () => {
    const { relay, readiness } = bench(() => Promise.reject(new Error("no")));
    void relay.drain();
    const reasons = ["the database cannot be written", "the server is shutting down", NO_AGENT];
    expect(await readiness(1)).toEqual(reasons);
  });
});

test("GET /ready of a node tells how many nodes are in touch, ready or not", async () => {
  let reasons: string[] = [];
  const readiness = async () => ({ reasons, degraded: [] });
  const bound = healthRoutes.bind({ readiness, countNodes: () => 3 });
  const route = bound.find(({ route }) => route.path === "/ready");
  const read = () => route?.handler({ query: { agents: "0" } } as Parameters<typeof route.handler>[0]);
  expect(await read()).toEqual({ status: "ready", nodes: 3 });
  reasons = ["the queue is full"];
  expect(await read()).toMatchObject({ status: 503, body: { status: "not ready", nodes: 3, reasons } });
});

describe("the store's check", () => {
  test("the check of the store really writes", async () => {
    const path = join(tempFolder(), "server.db");
    const store = openTestFile(path);
    const wal = () => Bun.file(`${path}-wal`).size;
    const other = new Database(path);
    other.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const before = wal();
    await store.check();
    expect(wal()).toBeGreaterThan(before);
    other.close();
  });

  test("the check of the store waits for another process that writes, and then passes", async () => {
    const path = join(tempFolder(), "server.db");
    const store = openTestFile(path);
    const other = new Database(path);
    other.run("BEGIN IMMEDIATE");
    const checked = store.check().then(() => "written");
    await Bun.sleep(0);
    expect(await Promise.race([checked, Promise.resolve("waits")])).toBe("waits");
    other.run("COMMIT");
    expect(await checked).toBe("written");
    other.close();
  });
});
