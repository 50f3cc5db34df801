import { expect, test } from "bun:test";
import { ABSENT_MS, POLL_MS, PollingSession } from "../../../src/agents/polling/session.ts";
import type { SessionClose } from "../../../src/protocol/agent-polling.ts";
import { createFakeClock } from "../../support/clock.ts";

const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const NEVER = new AbortController().signal;

function scene() {
  const clock = createFakeClock();
  const received: string[] = [];
  const closes: SessionClose[] = [];
  const states: string[] = [];
  const connection = {
    receive: (text: string) => void received.push(text),
    drained: () => void states.push("drained"),
    stalled: () => void states.push("stalled"),
  };
  const session = new PollingSession(connection, {
    clock,
    frameBytesMax: FRAME_BYTES_MAX,
    waitingBytesMax: FRAME_BYTES_MAX,
    onClosed: (close) => void closes.push(close),
  });
  return { clock, session, received, closes, states };
}

test("messages that come again are dropped, and those after a gap are not taken", () => {
  const { session, received } = scene();
  session.receive(1, ["a", "b"]);
  session.receive(1, ["a", "b", "c"]);
  session.receive(5, ["e"]);
  expect(received).toEqual(["a", "b", "c"]);
  expect(session.report().head.received).toBe(3);
  session.receive(4, ["d", "e"]);
  expect(received).toEqual(["a", "b", "c", "d", "e"]);
});

test("a message stays until it is acknowledged, so that a lost answer is sent again", async () => {
  const { session } = scene();
  session.sendText("one");
  session.sendText("two");
  expect(await session.poll(NEVER)).toEqual({
    head: { received: 0, sent: 2, first: 1, close: undefined },
    messages: ["one", "two"],
  });
  expect((await session.poll(NEVER)).messages).toEqual(["one", "two"]);
  session.acknowledge(1);
  expect(await session.poll(NEVER)).toMatchObject({ head: { first: 2 }, messages: ["two"] });
  session.acknowledge(7);
  session.sendText("three");
  expect(await session.poll(NEVER)).toMatchObject({ head: { first: 3 }, messages: ["three"] });
});

test("a poll waits for messages, and takes all of one turn", async () => {
  const { session } = scene();
  const polled = session.poll(NEVER);
  session.sendText("one");
  session.sendText("two");
  expect((await polled).messages).toEqual(["one", "two"]);
});

test("a poll without messages is answered after its time", async () => {
  const { session, clock } = scene();
  session.enter();
  const polled = session.poll(NEVER);
  clock.advance(POLL_MS);
  expect(await polled).toMatchObject({ head: { received: 0, sent: 0 }, messages: [] });
  expect(clock.pending()).toBe(0);
});

test("a newer poll, or the end of its connection, ends a poll, and its messages are for the newer one", async () => {
  const { session } = scene();
  const gone = new AbortController();
  const first = session.poll(NEVER);
  const second = session.poll(gone.signal);
  expect((await first).messages).toEqual([]);
  gone.abort();
  expect((await second).messages).toEqual([]);
  const third = session.poll(NEVER);
  session.sendText("one");
  expect((await third).messages).toEqual(["one"]);
});

test("many small messages go in several answers, and a large one alone", async () => {
  const { session } = scene();
  const text = "x".repeat(200 * 1024);
  for (let count = 0; count < 5; count++) session.sendText(text);
  session.sendText("y".repeat(1024 * 1024));
  const sizes: number[] = [];
  for (let number = 0; number < 6; ) {
    const { messages } = await session.poll(NEVER);
    sizes.push(messages.length);
    number += messages.length;
    session.acknowledge(number);
  }
  expect(sizes).toEqual([2, 2, 1, 1]);
});

test("a session ends when the agent sends no request for 15 seconds", () => {
  const { session, clock, closes } = scene();
  const leave = session.enter();
  clock.advance(10 * ABSENT_MS);
  expect(closes).toEqual([]);
  leave();
  clock.advance(ABSENT_MS - 1);
  expect(closes).toEqual([]);
  clock.advance(1);
  expect(closes).toEqual([{ code: 1006, reason: "no request in time" }]);
  expect(session.sendText("late")).toBe(0);
  expect(clock.pending()).toBe(0);
});

test("an agent without a request for a second gets no asks until its next request", () => {
  const { session, clock, states } = scene();
  session.enter()();
  clock.advance(999);
  expect(states).toEqual([]);
  clock.advance(1);
  expect(states).toEqual(["stalled"]);
  session.enter();
  expect(states).toEqual(["stalled", "drained"]);
});

test("the close comes after the messages, once in each answer from then on", async () => {
  const { session, closes } = scene();
  session.sendText("x".repeat(600 * 1024));
  session.sendText("last");
  session.close(4503, "the agent key was revoked");
  session.close(4500, "another");
  expect(closes).toEqual([{ code: 4503, reason: "the agent key was revoked" }]);
  expect((await session.poll(NEVER)).head.close).toBeUndefined();
  expect(session.report().head.close).toBeUndefined();
  session.acknowledge(1);
  expect(await session.poll(NEVER)).toMatchObject({ head: { close: { code: 4503 } }, messages: ["last"] });
  session.acknowledge(2);
  expect(session.report().head.close).toEqual({ code: 4503, reason: "the agent key was revoked" });
});

test("messages beyond a megabyte count as buffered until the agent takes them", async () => {
  const { session, states } = scene();
  const bytes = 3 * 1024 * 1024;
  expect(session.sendText("x")).toBe(1);
  expect(session.sendText("x".repeat(bytes))).toBe(-1);
  const before = session.getBufferedAmount();
  expect(before).toBe(bytes + 1 - 1024 * 1024);
  session.acknowledge(1);
  await session.poll(NEVER);
  session.took(1024 * 1024);
  expect(session.getBufferedAmount()).toBe(1024 * 1024);
  expect(states).toEqual([]);
  session.took(1024 * 1024);
  expect([session.getBufferedAmount(), states]).toEqual([0, ["drained"]]);
});

test("a session whose agent does not read ends when too much waits", async () => {
  const { session, closes } = scene();
  session.sendText("x".repeat(FRAME_BYTES_MAX - 1));
  expect(session.sendText("xx")).toBe(0);
  await Promise.resolve();
  expect(closes).toEqual([{ code: 1006, reason: "the agent does not read" }]);
});

test("a session that has ended keeps no messages for an agent that does not read them", async () => {
  const gone = scene();
  gone.session.sendText("an ask");
  gone.clock.advance(ABSENT_MS);
  expect(await gone.session.poll(NEVER)).toMatchObject({ head: { close: { code: 1006 } }, messages: [] });

  const revoked = scene();
  revoked.session.sendText("an ask");
  revoked.session.close(4503, "the agent key was revoked");
  expect((await revoked.session.poll(NEVER)).messages).toEqual(["an ask"]);
  revoked.clock.advance(ABSENT_MS);
  expect(await revoked.session.poll(NEVER)).toMatchObject({ head: { close: { code: 4503 } }, messages: [] });
  expect(revoked.clock.pending()).toBe(0);
});

test("a session that has ended lets go of its connection", () => {
  const { session, clock, states, received } = scene();
  clock.advance(ABSENT_MS);
  expect(states).toEqual(["stalled"]);
  session.enter();
  session.receive(1, ["late"]);
  expect([states, received]).toEqual([["stalled"], []]);
});

test("a message that is larger than a frame may be ends the session", () => {
  const { session, closes, received } = scene();
  session.receive(1, ["x".repeat(FRAME_BYTES_MAX), "x".repeat(FRAME_BYTES_MAX + 1), "after"]);
  expect(received.length).toBe(1);
  expect(closes).toEqual([{ code: 1009, reason: "the frame is too large" }]);
});
