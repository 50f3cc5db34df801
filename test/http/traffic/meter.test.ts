import { expect, test } from "bun:test";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/durations.ts";
import { createTrafficMeter } from "../../../src/http/traffic/meter.ts";
import { endedRequest, Tally } from "../../../src/http/traffic/tally.ts";
import { groupsOf, stepsOf, totalOf } from "../../../src/http/traffic/totals.ts";
import { userPrincipal } from "../../../src/principal.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import { stepKeyOf, type TrafficStep } from "../../../src/store/records.ts";

const BEGIN = Date.UTC(2026, 10, 23, 9, 58);

const recordOf = (changes: Partial<AskRecord> = {}): AskRecord => ({
  ...{ requestId: "r", surface: "chat", principal: userPrincipal("ann"), agent: "a", agentName: "box" },
  ...{ model: "m", outcome: "ok", upstreamStatus: 200, at: BEGIN, tries: 1, queueMs: 1, firstByteMs: 20 },
  ...{ durationMs: 300, deltas: 1, answerLength: 1, inputTokens: 3, outputTokens: 2, tokensEstimated: false },
  ...changes,
});

/** A meter with a clock that is set, and what it has written. */
function createScene(keptMsMax = 400 * DAY_MS) {
  const written = new Map<string, TrafficStep>();
  const clock = { now: BEGIN };
  const meter = createTrafficMeter({
    traffic: { record: (step) => void written.set(stepKeyOf(step), step) },
    now: () => clock.now,
    run: "r1",
    keptMsMax: () => keptMsMax,
  });
  const rows = (stepMs: number, kind: string) =>
    [...written.values()].filter((step) => step.stepMs === stepMs && step.kind === kind);
  return { meter, clock, rows, written };
}

function asksIn(data: string): number {
  const tally = new Tally();
  tally.addPacked(data);
  return tally.asks;
}

test("requests are counted in their minute, of all and of each agent, model, user and route", async () => {
  const { meter, clock, rows } = createScene();
  meter.note(recordOf());
  meter.note(recordOf({ outcome: "agent_failed", firstByteMs: undefined, agent: "b", agentName: "other" }));
  clock.now += MINUTE_MS;
  meter.tick();
  meter.note(recordOf({ agent: undefined, outcome: "no_agent" }));
  meter.stop();
  const steps = await stepsOf(rows(MINUTE_MS, "all"), { from: BEGIN, everyMs: MINUTE_MS, count: 3 });
  expect(steps).toMatchObject({ asks: [2, 1, 0], failed: [1, 1, 0], prompt_tokens: [6, 3, 0] });
  expect(steps.errors).toEqual({ agent_failed: [1, 0, 0], no_agent: [0, 1, 0] });
  expect(steps.first_byte_ms_p50[2]).toBeNull();
  expect(await groupsOf(rows(MINUTE_MS, "agent"))).toMatchObject([
    { name: "a", label: "box", asks: 1, failed: 0 },
    { name: "b", label: "other", asks: 1, failed: 1, errors: { agent_failed: 1 } },
  ]);
  for (const [kind, name] of [
    ["model", "m"],
    ["user", "ann"],
    ["route", "chat"],
  ] as const)
    expect(await groupsOf(rows(MINUTE_MS, kind))).toMatchObject([{ name, asks: 3 }]);
});

test("an hour has the requests of its minutes, also of the one that has not ended", async () => {
  const { meter, clock, rows } = createScene();
  for (let minute = 0; minute < 4; minute++) {
    meter.tick();
    meter.note(recordOf());
    clock.now += MINUTE_MS;
  }
  meter.write(HOUR_MS);
  meter.write(HOUR_MS);
  const hours = rows(HOUR_MS, "all").sort((a, b) => a.at - b.at);
  expect(hours.map(({ data }) => asksIn(data))).toEqual([2, 2]);
  expect(await totalOf(hours)).toMatchObject({ asks: 4, completion_tokens: 8 });
});

test("the tokens per second are those of streamed answers after their first byte, over all their tokens", async () => {
  const { meter, rows } = createScene();
  const one = { deltas: 90, firstByteMs: 500, durationMs: 2_500, outputTokens: 100 };
  meter.note(recordOf(one));
  meter.note(recordOf({ ...one, durationMs: 1_500, outputTokens: 20 }));
  const others = [{ deltas: 1 }, { deltas: 0, firstByteMs: 2_500 }, { outcome: "agent_failed" }] as const;
  for (const other of others) meter.note(recordOf({ ...one, ...other }));
  meter.note(recordOf({ ...one, outputTokens: undefined }));
  meter.stop();
  expect(await totalOf(rows(MINUTE_MS, "all"))).toMatchObject({ asks: 6, tokens_per_second: 40 });
  expect(await totalOf([])).toMatchObject({ tokens_per_second: null });
  const steps = await stepsOf(rows(MINUTE_MS, "all"), { from: BEGIN, everyMs: MINUTE_MS, count: 2 });
  expect(steps.tokens_per_second).toEqual([40, null]);
});

test("models that no agent has offered are counted by themselves, with few names and none that garbles a list", async () => {
  const { meter, rows } = createScene();
  meter.noteMissing("llama4");
  meter.noteMissing("\u001b[31m");
  for (let index = 0; index < 50; index++) meter.noteMissing(`m${index}`);
  meter.stop();
  const missing = await groupsOf(rows(MINUTE_MS, "missing_model"));
  expect(missing).toHaveLength(21);
  expect(missing.slice(0, 1)).toMatchObject([{ name: "", asks: 32, failed: 32 }]);
  expect(missing.map(({ name }) => name)).toEqual(expect.arrayContaining(["llama4", "(no name)"]));
  expect(rows(MINUTE_MS, "model")).toEqual([]);
  expect(rows(MINUTE_MS, "all")).toEqual([]);
});

test("a step has a hundred names of each kind, and counts further ones together", async () => {
  const { meter, rows } = createScene();
  for (let index = 0; index < 150; index++) meter.note(recordOf({ model: `m${index}` }));
  meter.stop();
  const models = await groupsOf(rows(MINUTE_MS, "model"));
  expect(models).toHaveLength(100);
  expect(models[0]).toMatchObject({ name: "", asks: 50 });
});

test("a step is not kept longer than the requests that it counts", async () => {
  const { meter, rows } = createScene(2 * DAY_MS);
  meter.note(recordOf());
  meter.stop();
  expect(rows(HOUR_MS, "all")[0]?.expiresAt).toBe(Date.UTC(2026, 10, 25, 9));
  expect(rows(MINUTE_MS, "all")[0]?.expiresAt).toBe(BEGIN + DAY_MS + HOUR_MS);
});

test("a step that another program wrote counts as nothing", async () => {
  for (const data of ["", "[]", "null", '{"a":-1,"f":"x","q":7,"e":{"no_agent":null}}'])
    expect(await totalOf([{ at: 0, name: "", data }])).toMatchObject({
      asks: 0,
      failed: 0,
      queue_ms_p50: null,
    });
});

test("refused requests are counted by reason, of all, of their user and of their endpoint", async () => {
  const { meter, rows } = createScene();
  const refusal = { principal: userPrincipal("ann"), surface: "chat", at: BEGIN };
  meter.note(recordOf());
  meter.noteRefusal({ ...refusal, reason: "limit_requests" });
  meter.noteRefusal({ ...refusal, reason: "key_disabled" });
  meter.noteRefusal({ ...refusal, reason: "limit_requests", principal: userPrincipal("bob") });
  meter.stop();
  const refused = { refused: 3, refusals: { limit_requests: 2, key_disabled: 1 } };
  expect(await totalOf(rows(MINUTE_MS, "all"))).toMatchObject({ asks: 1, failed: 0, errors: {}, ...refused });
  expect(await totalOf(rows(HOUR_MS, "route"))).toMatchObject({ asks: 1, ...refused });
  expect(await groupsOf(rows(MINUTE_MS, "user"))).toMatchObject([
    { name: "ann", asks: 1, refused: 2, refusals: { limit_requests: 1, key_disabled: 1 } },
    { name: "bob", asks: 0, refused: 1 },
  ]);
  const steps = await stepsOf(rows(MINUTE_MS, "all"), { from: BEGIN, everyMs: MINUTE_MS, count: 1 });
  expect(steps.refused).toEqual([3]);
});

test("an agent with 10,000 models fills no more than 101 rows of a step, and every request is counted", async () => {
  const { meter, rows } = createScene();
  for (let index = 0; index < 10_000; index++)
    meter.note(recordOf({ model: `model ${index}`.padEnd(5_000, "x") }));
  meter.stop();
  for (const stepMs of [MINUTE_MS, HOUR_MS]) {
    const steps = rows(stepMs, "model");
    expect(steps).toHaveLength(101);
    expect(Math.max(...steps.map(({ name }) => name.length))).toBe(256);
    expect(steps.reduce((sum, { data }) => sum + asksIn(data), 0)).toBe(10_000);
  }
});

test("names that differ in every step are added up in a bounded number of groups", async () => {
  const tally = new Tally();
  tally.note(endedRequest(recordOf()));
  const data = tally.pack();
  const rows = Array.from({ length: 5_000 }, (_, index) => ({ at: index, name: `model ${index}`, data }));
  const groups = await groupsOf(rows);
  expect(groups).toHaveLength(100);
  expect(groups[0]).toMatchObject({ name: "", asks: 3_000 });
});
