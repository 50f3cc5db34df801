import { expect, test } from "bun:test";
import type { Delivery } from "../../../src/alerts/webhook/deliver.ts";
import { failing, ofServer } from "../problems.ts";
import { BUSY, GONE, OK, scene } from "./notifier-scene.ts";

test("a problem is reported once, and so is its end", async () => {
  const { state, pass, reported, logged } = scene();
  await pass(5);
  state.problems = [failing("a")];
  await pass(120);
  expect(reported()).toEqual([["started agent_failing:a"]]);
  state.problems = [];
  await pass(120);
  expect(reported()).toEqual([["started agent_failing:a"], ["ended agent_failing:a"]]);
  expect(logged).toEqual(["alert_sent", "alert_sent"]);
});

test("problems that begin within some seconds are one message", async () => {
  const { state, pass, reported } = scene();
  state.problems = [failing("a")];
  await pass(2);
  state.problems = [failing("a"), ofServer("database_away")];
  await pass(20);
  expect(reported()).toEqual([["started database_away", "started agent_failing:a"]]);
});

test("a problem that is over before it was reported is not reported", async () => {
  const { state, pass, reported } = scene();
  state.problems = [failing("a")];
  await pass(2);
  state.problems = [];
  await pass(60);
  expect(reported()).toEqual([]);
});

test("there are at most six messages in a minute, and fewer if it goes on, however much changes", async () => {
  const { state, pass, sent } = scene();
  for (let second = 0; second < 3_600; second++) {
    state.problems = [failing(`${second >> 2}`)];
    await pass(1);
  }
  const inMinutes = Map.groupBy(sent, ({ at }) => Math.floor(at / 60_000));
  for (const messages of inMinutes.values()) expect(messages.length).toBeLessThanOrEqual(6);
  expect(sent.length).toBeLessThanOrEqual(30 + 12);
  expect(sent.length).toBeGreaterThan(30);
});

test("a thousand agents that fail are one line, and their recovery is one", async () => {
  const { state, pass, reported, sent } = scene();
  state.problems = Array.from({ length: 1_000 }, (_, index) => failing(`${index}`));
  await pass(30);
  expect(reported()).toEqual([["started agent_failing"]]);
  expect(sent[0]?.message.lines[0]?.message).toMatch(/^1000 agents fail/);
  state.problems = [];
  await pass(30);
  expect(reported()[1]).toEqual(["ended agent_failing"]);
});

test("problems that become a group or are left of one are not said to be over, nor to begin", async () => {
  const { state, pass, reported } = scene();
  const agents = (count: number) => Array.from({ length: count }, (_, index) => failing(`${index}`));
  state.problems = agents(2);
  await pass(30);
  state.problems = agents(5);
  await pass(30);
  state.problems = agents(9);
  await pass(30);
  state.problems = agents(10);
  await pass(30);
  state.problems = agents(1);
  await pass(30);
  state.problems = [];
  await pass(30);
  expect(reported()).toEqual([
    ["started agent_failing:0", "started agent_failing:1"],
    ["started agent_failing"],
    // Twice as many are worth a message.
    ["worse agent_failing"],
    ["ended agent_failing:0"],
  ]);
});

test("a problem that becomes critical is reported again, and one that becomes less severe is not", async () => {
  const { state, pass, reported } = scene();
  for (const severity of ["warning", "critical", "warning", "critical"] as const) {
    state.problems = [ofServer("disk_low", { severity })];
    await pass(30);
  }
  expect(reported()).toEqual([["started disk_low"], ["worse disk_low"]]);
});

test("problems below the minimum severity are not reported, and neither is the failing webhook", async () => {
  const { state, pass, reported } = scene();
  state.problems = [ofServer("no_agent", { severity: "info" }), ofServer("webhook_failing")];
  await pass(30);
  expect(reported()).toEqual([]);
  state.problems = [ofServer("no_agent", { severity: "critical" })];
  await pass(30);
  expect(reported()).toEqual([["started no_agent"]]);
});

test("a message counts the problems of which the receiver hears, so that it says when all is well again", async () => {
  const { state, pass, sent } = scene();
  const note = ofServer("no_agent", { severity: "info" });
  state.problems = [failing("a"), note];
  await pass(30);
  state.problems = [note];
  await pass(30);
  expect(sent.map(({ message: { open, title } }) => ({ open, title }))).toEqual([
    { open: 1, title: "1 problem: chat" },
    { open: 0, title: "All is well again: chat" },
  ]);
});

test("changes during an outage of the receiver are reported as a difference, not as many messages", async () => {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const { state, pass, reported, clock } = scene([promise]);
  state.problems = [failing("a")];
  await pass(10);
  for (let round = 0; round < 100; round++) {
    state.problems = round % 2 === 0 ? [failing("b")] : [failing("c")];
    await pass(3);
  }
  expect([reported().length, clock.pending()]).toEqual([1, 0]);
  resolve(OK);
  await pass(30);
  expect(reported()).toEqual([
    ["started agent_failing:a"],
    ["started agent_failing:c", "ended agent_failing:a"],
  ]);
});

test("another receiver gets a report of everything, and without a receiver nothing is sent", async () => {
  const { state, pass, sent, reported } = scene();
  state.problems = [failing("a")];
  await pass(30);
  const before = state.webhook;
  state.webhook = undefined;
  await pass(30);
  state.webhook = before && { ...before, url: "https://b.example.com/" };
  await pass(30);
  expect(reported()).toEqual([["started agent_failing:a"], ["started agent_failing:a"]]);
  expect(sent.at(-1)?.url).toBe("https://b.example.com/");
});

test("a node that does not send keeps track of the reports, and sends the rest when it becomes the sender", async () => {
  const { state, pass, reported } = scene();
  state.isSender = false;
  state.problems = [failing("a")];
  await pass(60);
  expect(reported()).toEqual([]);
  state.problems = [failing("a"), failing("b")];
  // The other node may have been lost before it reported b.
  await pass(10);
  state.isSender = true;
  await pass(30);
  expect(reported()).toEqual([["started agent_failing:b"]]);
  state.problems = [];
  await pass(30);
  expect(reported()[1]).toEqual(["ended agent_failing:a", "ended agent_failing:b"]);
});

test("a node that becomes the sender reports the problems that were over just before, too", async () => {
  const { state, pass, reported } = scene();
  state.isSender = false;
  state.problems = [failing("old"), failing("a")];
  await pass(60);
  state.problems = [failing("a")];
  await pass(30);
  state.problems = [failing("short")];
  await pass(5);
  state.problems = [];
  // The other node is lost before it has reported the end of a.
  await pass(5);
  state.isSender = true;
  await pass(60);
  expect(reported()).toEqual([["ended agent_failing:a"]]);
});

test("a test message is sent at once, and its answer is returned", async () => {
  const { state, notifier, sent } = scene([GONE, OK]);
  expect(await notifier.test()).toEqual({ isDelivered: false, status: 404, answer: "", format: "generic" });
  expect(await notifier.test()).toMatchObject({ isDelivered: true });
  expect(sent.map(({ message }) => message.kind)).toEqual(["test", "test"]);
  state.webhook = undefined;
  expect(await notifier.test()).toBeUndefined();
});

test("nothing is left when it stops", async () => {
  const { state, pass, notifier, sent, clock } = scene([BUSY]);
  state.problems = [failing("a")];
  await pass(5);
  notifier.stop();
  expect(clock.pending()).toBe(0);
  await pass(60);
  expect(sent).toHaveLength(1);
});
