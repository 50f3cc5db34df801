import { describe, expect, test } from "bun:test";
import { COMMENT, EventStream } from "../../../src/http/middleware/event-stream.ts";
import { AskProgress, headerText } from "../../../src/http/middleware/sent-headers.ts";
import { createFakeClock } from "../../support/clock.ts";

const SENT = { agentId: "a1", agentName: undefined, model: "m", tries: 1, queueMs: 3, isAffine: undefined };

/** Returns the headers that the caller gets after these tries. */
function headersAfter(...sent: Parameters<AskProgress["onSent"]>[0][]) {
  const progress = new AskProgress();
  for (const one of sent) progress.onSent(one);
  const headers = new Headers();
  progress.setHeaders(headers);
  return Object.fromEntries(headers);
}

test("the headers name the agent that the ask was last sent to", () => {
  expect(headersAfter()).toEqual({});
  const first = { "x-agent-id": "a1", "x-model": "m", "x-tries": "1", "x-queue-ms": "3" };
  expect(headersAfter(SENT)).toEqual(first);
  const second = { ...SENT, agentId: "a2", agentName: "desk", tries: 2, queueMs: 40.4, isAffine: false };
  expect(headersAfter(SENT, second)).toEqual({
    ...{ "x-agent-id": "a2", "x-agent-name": "desk", "x-model": "m", "x-tries": "2", "x-queue-ms": "40" },
    "x-affinity": "miss",
  });
  expect(headersAfter(second, { ...SENT, isAffine: true, queueMs: -5 })).toEqual({
    ...first,
    ...{ "x-queue-ms": "0", "x-affinity": "hit" },
  });
});

test.each([
  ["desk of Zoë", "desk of Zo%C3%AB"],
  ["100%", "100%25"],
  ["two\r\nlines: x", "two%0D%0Alines: x"],
  ["机器", "%E6%9C%BA%E5%99%A8"],
  ["\u007f\ud800", "%7F%EF%BF%BD"],
  ["llama3.2:latest", "llama3.2:latest"],
])("the name %p is safe as a header, and can be decoded", (name, text) => {
  expect(headerText(name)).toBe(text);
  expect(decodeURIComponent(text)).toBe(name.toWellFormed());
  new Headers().set("x-agent-name", text);
});

describe("a stream whose ask waits", () => {
  const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

  test("a keep-alive tells how many asks are before the one that waits, and only while that waits", () => {
    const progress = new AskProgress();
    expect(progress.keepAlive(COMMENT)).toBe(COMMENT);
    let before = 3;
    progress.onWaiting(() => before);
    expect(progress.keepAlive(COMMENT)).toBe(": queued, 3 before you\n\n");
    before = 0;
    expect(progress.keepAlive(PING)).toBe(`: queued, 0 before you\n${PING}`);
    progress.onSent(SENT);
    expect(progress.keepAlive(PING)).toBe(PING);
    progress.onWaiting(() => 7);
    expect(progress.keepAlive(COMMENT)).toContain("7 before you");
  });

  test("a comment names the agent if the headers of the stream are gone already, and not otherwise", async () => {
    const progress = new AskProgress();
    const events = new EventStream({ clock: createFakeClock(), onGone: () => {} });
    progress.follow(events);
    progress.onSent(SENT);
    expect(events.isStarted).toBe(false);
    events.send("one");
    progress.onSent({ ...SENT, agentId: "a\n2", queueMs: 20_000 });
    events.end();
    expect(await (await events.started).text()).toBe("data: one\n\n: agent=a%0A2 queue_ms=20000\n\n");
  });
});
