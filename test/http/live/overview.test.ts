import { describe, expect, test } from "bun:test";
import { createOverview } from "../../../src/http/live/overview.ts";
import { OverviewFigures } from "../../../src/http/live/schema.ts";
import { createRelayBench } from "../../support/relay.ts";
import { openTestStore } from "../../support/store.ts";
import { joinAgent } from "../../support/transport.ts";

const STARTED = Date.UTC(2026, 10, 23, 12);

/** The overview of a core with a fake clock. `pass` moves the clock and closes the second. */
async function scene() {
  const { users } = openTestStore();
  const counted = { found: 0, ready: 0, reasons: [] as string[], degraded: [] as ("store" | "nats")[] };
  const clock = { now: STARTED, elapsed: 7 };
  const bench = createRelayBench({}, (record) => live.noteAsk(record));
  const live = createOverview({
    relay: () => bench.relay,
    users: {
      find(id) {
        counted.found++;
        return users.find(id);
      },
    },
    readiness: () => async () => {
      counted.ready++;
      return { reasons: counted.reasons, degraded: counted.degraded };
    },
    version: "1.2.3",
    now: () => clock.now,
    elapsedMs: () => clock.elapsed,
  });
  const move = (ms: number) => {
    clock.now += ms;
    clock.elapsed += ms;
    bench.clock.advance(ms);
  };
  const pass = (ms = 1_000) => {
    move(ms);
    return live.closeSecond();
  };
  return { ...bench, users, live, counted, move, pass };
}

describe("the sample of a second", () => {
  test("refused requests are counted in their second, and not as requests that arrived", async () => {
    const { live, pass } = await scene();
    live.noteRefusal();
    live.noteRefusal();
    expect(pass()).toMatchObject({ asks: 0, failed: 0, refused: 2 });
    expect(pass()).toMatchObject({ refused: 0 });
    expect(live.read().samples.refused.slice(-2)).toEqual([2, 0]);
  });

  test("a sample has what arrived, what ended and how, what runs, and the medians of what ended", async () => {
    const { relay, ask, pass, move } = await scene();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 2 });
    expect(pass()).toEqual({
      at: "2026-11-23T12:00:00.000Z",
      ...{ asks: 0, ok: 0, failed: 0, refused: 0, deltas: 0, queue: 0, running: 0 },
      ...{ slots: 2, slots_in_use: 0, agents: 1, queue_ms: null, first_byte_ms: null },
    });
    const asked = [1, 2, 3].map((n) => ask(`${n}`, { model: "m" }));
    const [first = "", second = ""] = agent.asks.map(({ slot }) => slot);
    move(100);
    agent.link.delta(first, { data: "x" });
    agent.link.delta(first, { data: "y" });
    expect(pass(900)).toMatchObject({
      at: "2026-11-23T12:00:01.000Z",
      ...{ asks: 3, ok: 0, failed: 0, deltas: 2, queue: 1, running: 2, slots_in_use: 2, queue_ms: null },
    });
    const usage = undefined;
    agent.link.done(first, { kind: "model", status: 200, body: undefined, usage });
    const [, , third = ""] = agent.asks.map(({ slot }) => slot);
    agent.link.done(third, { kind: "model", status: 200, body: "{}", usage });
    await Promise.all([asked[0], asked[2]]);
    expect(pass()).toMatchObject({
      ...{ asks: 0, ok: 2, failed: 0, deltas: 0, queue: 0, running: 1 },
      ...{ queue_ms: 1000, first_byte_ms: 1000 },
    });
    relay.close();
    await asked[1];
    expect(second).not.toBe("");
    expect(pass()).toMatchObject({ ok: 0, failed: 1, running: 0, agents: 0, first_byte_ms: null });
  });

  test("a sample is taken once a second, and missed seconds are filled in so that the times stay even", async () => {
    const { live, pass } = await scene();
    expect(pass(400)).toBeUndefined();
    expect(pass(599)).toBeDefined();
    expect(pass(400)).toBeUndefined();
    expect(pass(3_600)).toBeDefined();
    const { samples } = live.read();
    expect(samples.agents).toEqual([0, 0, 0, 0, 0]);
    expect(samples.from).toBe(new Date(STARTED + 4_999 - 5_000).toISOString());
  });

  test("samples are kept for 15 minutes, however long the server runs or sleeps", async () => {
    const { live, relay, pass } = await scene();
    for (let second = 0; second < 910; second++) pass();
    joinAgent(relay, "a", { protocol: "v2", slots: 3 });
    pass();
    const { samples } = live.read();
    expect(samples.slots).toEqual([...Array(899).fill(0), 3]);
    expect(samples.from).toBe(new Date(STARTED + 11_000).toISOString());
    pass(86_400_000);
    expect(live.read().samples.slots).toHaveLength(900);
  });
});

describe("the overview", () => {
  test("the overview has the promised shape, with the newest requests and the names of their users", async () => {
    const { relay, users, live, ask, pass, counted } = await scene();
    await users.add([{ id: "u1", tokenHash: "h", sealedToken: Buffer.of(), name: "Ann" }]);
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 1 });
    const asked = ["u1", "gone", null].map((user) => ask("the question", { model: "m", user }));
    for (const content of ["1", "2", "3"]) {
      const slot = agent.asks.at(-1)?.slot ?? "";
      const usage = { prompt_tokens: 3, completion_tokens: Number(content) };
      agent.link.done(slot, { kind: "model", status: 200, body: "the answer", usage });
    }
    await Promise.all(asked);
    pass();
    await live.prepare();
    const overview = live.read();
    expect(OverviewFigures.parse(overview)).toEqual(overview);
    expect(overview).toMatchObject({
      ...{ version: "1.2.3", started_at: new Date(STARTED).toISOString() },
      ...{ ready: { status: "ready", reasons: [] }, agents: { connected: 1, accepting: 1 } },
      ...{ slots: { total: 1, in_use: 0 }, queue: { length: 0, oldest_wait_ms: null } },
      models: [{ id: "m", agents: 1 }],
    });
    expect(overview.asks.map(({ user, completion_tokens }) => [user, completion_tokens])).toEqual([
      [null, 3],
      [{ user_id: "gone", name: null }, 2],
      [{ user_id: "u1", name: "Ann" }, 1],
    ]);
    expect(overview.asks[0]).toMatchObject({
      outcome: "ok",
      model: "m",
      agent: { id: "a" },
      surface: "test",
    });
    expect(JSON.stringify(overview)).not.toMatch(/the question|the answer/);
    const { found } = counted;
    await live.prepare();
    expect(counted.found).toBe(found);
  });

  test("the overview keeps 100 requests, and no more of a made-up model name than is shown", async () => {
    const { live, ask } = await scene();
    for (let n = 0; n < 105; n++) await ask("q", { model: n === 104 ? "x".repeat(1_000_000) : `model-${n}` });
    const { asks } = live.read();
    expect(asks).toHaveLength(100);
    expect([asks[0]?.model, asks[1]?.model, asks[99]?.model]).toEqual(["(no name)", "model-103", "model-5"]);
    expect([live.asksCount, live.asksAfter(103).length, live.asksAfter(0).length]).toEqual([105, 2, 100]);
    expect(live.read(103).asks.map(({ model }) => model)[0]).toBe("model-102");
  });

  test("the overview tells how long the oldest queued request of any user has waited", async () => {
    const { relay, live, ask, move } = await scene();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 1 });
    void ask("1", { model: "m" });
    move(100);
    void ask("2", { model: "m", user: "ann" });
    move(30);
    void ask("3", { model: "m", user: "bob" });
    move(5);
    expect(live.pool().queue).toEqual({ length: 2, oldest_wait_ms: 35 });
    agent.answer();
    expect(live.pool().queue).toEqual({ length: 1, oldest_wait_ms: 5 });
    relay.close();
  });

  test("the overview says why the server is not ready, at most some seconds late", async () => {
    const { live, counted, move } = await scene();
    await live.prepare();
    counted.reasons = ["no agent accepts requests"];
    await live.prepare();
    expect(live.pool().ready.status).toBe("ready");
    move(5_000);
    await live.prepare();
    expect(live.pool().ready).toEqual({ status: "not ready", reasons: ["no agent accepts requests"] });
    expect(counted.ready).toBe(2);
  });
});

test("the overview names what fails while requests are served, and has no such list if nothing does", async () => {
  const { live, counted, pass } = await scene();
  await live.prepare();
  expect(live.read().ready).toEqual({ status: "ready", reasons: [] });
  counted.degraded = ["store", "nats"];
  for (let second = 0; second < 5; second++) pass();
  await live.prepare();
  expect(live.read().ready).toEqual({ status: "ready", reasons: [], degraded: ["store", "nats"] });
  expect(OverviewFigures.parse(live.read())).toEqual(live.read());
});
