import { expect, test } from "bun:test";
import { mergeProblems } from "../../../src/alerts/merge.ts";
import type { Deliver, Delivery } from "../../../src/alerts/webhook/deliver.ts";
import type { Message } from "../../../src/alerts/webhook/message.ts";
import { Notifier } from "../../../src/alerts/webhook/notifier.ts";
import type { WebhookSettings } from "../../../src/alerts/webhook/settings.ts";
import type { Problem } from "../../../src/protocol/node/problems.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/relay.ts";
import { failing, ofServer } from "../problems.ts";

const OK: Delivery = {
  ...{ isDelivered: true, isRetryable: false, status: 200, answer: "ok", retryAfterMs: undefined },
};
const BUSY: Delivery = { ...OK, isDelivered: false, isRetryable: true, status: 503, answer: "busy" };
const GONE: Delivery = { ...BUSY, isRetryable: false, status: 404, answer: "" };

/** A notifier on a fake clock, whose receiver answers as `answers` says, and then well. */
function scene(answers: (Delivery | Promise<Delivery>)[] = []) {
  const clock = createFakeClock();
  const sent: { message: Message; at: number; url: string }[] = [];
  const state = {
    problems: [] as Problem[],
    isSender: true,
    webhook: {
      ...{ url: "https://a.example.com/", format: "generic", secret: undefined, severityMin: "warning" },
    } as WebhookSettings | undefined,
  };
  const logged: string[] = [];
  const deliver: Deliver = async (message, { url }) => {
    sent.push({ message, at: clock.now(), url });
    return answers.shift() ?? OK;
  };
  const log = (event: string) => void logged.push(event);
  const notifier = new Notifier({
    webhook: { current: () => state.webhook },
    problems: () => mergeProblems(state.problems),
    isSender: () => state.isSender,
    ...{ deliver, clock, newId: () => `id-${sent.length}`, log: { info: log, warn: log } },
    server: { name: "chat", version: "1", url: undefined },
  });
  return {
    ...{ state, sent, logged, notifier, clock },
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000);
        notifier.tick();
        await settle();
      }
    },
    /** The messages so far, as the events and ids of their lines. */
    reported: () => sent.map(({ message }) => message.lines.map(({ event, id }) => `${event} ${id}`)),
  };
}

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

test("what did not arrive is reported with the next change", async () => {
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
