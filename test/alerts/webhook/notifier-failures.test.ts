import { expect, test } from "bun:test";
import { settle } from "../../support/relay.ts";
import { failing } from "../problems.ts";
import { BUSY, GONE, OK, scene } from "./notifier-scene.ts";

test("a message that fails is sent again after pauses that grow, with the same id, until it is taken", async () => {
  const { state, pass, sent, logged, notifier } = scene([BUSY, BUSY, BUSY]);
  state.problems = [failing("a")];
  await pass(20);
  expect(notifier.failure).toBe("it answered with status 503 (busy)");
  await pass(100);
  const [first] = sent;
  expect(sent.map(({ at }) => at - (first?.at ?? 0))).toEqual([0, 5_000, 20_000, 65_000]);
  expect(new Set(sent.map(({ message }) => message.id)).size).toBe(1);
  expect(notifier.failure).toBeUndefined();
  expect(logged).toEqual(["alert_failed", "alert_failed", "alert_failed", "alert_sent"]);
});

test("a message is given up after eight tries, and the next change is a new message", async () => {
  const { state, pass, sent, notifier, clock } = scene(Array.from({ length: 8 }, () => BUSY));
  state.problems = [failing("a")];
  await pass(3_600);
  expect(sent).toHaveLength(8);
  expect((sent.at(-1)?.at ?? 0) - (sent[0]?.at ?? 0)).toBeLessThan(20 * 60_000);
  expect([notifier.failure !== undefined, clock.pending()]).toEqual([true, 0]);
  state.problems = [];
  await pass(30);
  expect(sent).toHaveLength(9);
  expect(notifier.failure).toBeUndefined();
});

test("a refusal is not tried again, and a Retry-After is kept to, within bounds", async () => {
  const refused = scene([GONE]);
  refused.state.problems = [failing("a")];
  await refused.pass(3_600);
  expect(refused.sent).toHaveLength(1);
  expect(refused.notifier.failure).toBe("it answered with status 404");
  const waiting = scene([
    { ...BUSY, retryAfterMs: 60_000 },
    { ...BUSY, retryAfterMs: 86_400_000 },
  ]);
  waiting.state.problems = [failing("a")];
  await waiting.pass(1_000);
  const [first] = waiting.sent;
  expect(waiting.sent.map(({ at }) => at - (first?.at ?? 0))).toEqual([0, 60_000, 660_000]);
});

test("problems that did not arrive are reported with the next change", async () => {
  const { state, pass, reported } = scene([GONE, OK, GONE]);
  state.problems = [failing("a")];
  await pass(60);
  state.problems = [failing("a"), failing("b")];
  await pass(60);
  state.problems = [failing("b")];
  await pass(60);
  state.problems = [];
  await pass(60);
  expect(reported()).toEqual([
    ["started agent_failing:a"],
    ["started agent_failing:a", "started agent_failing:b"],
    ["ended agent_failing:a"],
    ["ended agent_failing:b", "ended agent_failing:a"],
  ]);
});

test("a recovery that did not arrive is reported again after an hour, until it arrives", async () => {
  const { state, pass, sent, reported, notifier } = scene([OK, GONE, GONE]);
  state.problems = [failing("a")];
  await pass(30);
  state.problems = [];
  await pass(4 * 3_600);
  const end = ["ended agent_failing:a"];
  expect(reported()).toEqual([["started agent_failing:a"], end, end, end]);
  const [, first, second, third] = sent.map(({ at }) => at);
  expect([(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0)]).toEqual([3_600_000, 3_600_000]);
  expect(notifier.failure).toBeUndefined();
});

test("once a test message is taken, what did not arrive is sent at once", async () => {
  const { state, pass, reported, notifier, clock } = scene([
    GONE,
    OK,
    OK,
    { ...BUSY, retryAfterMs: 600_000 },
  ]);
  state.problems = [failing("a")];
  await pass(60);
  await notifier.test();
  await pass(1);
  state.problems = [];
  await pass(60);
  expect(notifier.failure).toBe("it answered with status 503 (busy)");
  await notifier.test();
  await settle();
  expect([notifier.failure, clock.pending()]).toEqual([undefined, 0]);
  const [start, end] = [["started agent_failing:a"], ["ended agent_failing:a"]];
  expect(reported()).toEqual([start, [], start, end, [], end]);
});
