import { expect, test } from "bun:test";
import type { ProblemAnswer } from "../../../src/http/alerts/schema.ts";
import { createLiveFeed, type LiveSocket } from "../../../src/http/live/feed.ts";
import type { LiveOverview } from "../../../src/http/live/overview.ts";
import { LIVE_CLOSE, type LiveFrame } from "../../../src/http/live/schema.ts";
import { settle } from "../../support/relay.ts";

/** A feed whose frames hold only numbers: of past seconds and of finished asks. */
function scene() {
  const counts = { seconds: 0, asks: 0 };
  /**
   * The promises that `prepare` waits for, in the order of its calls. It does not wait after the last one.
   */
  const waits: Promise<void>[] = [];
  const overview = {
    prepare: () => waits.shift() ?? Promise.resolve(),
    closeSecond: () => ({ at: String(counts.seconds++) }),
    read: (until = counts.asks) => ({ seconds: counts.seconds, asks: until, models: [] }),
    pool: () => ({}),
    models: () => [],
    get asksCount() {
      return counts.asks;
    },
    asksAfter: (from: number) => Array.from({ length: counts.asks - from }, (_, index) => from + index),
  } as unknown as LiveOverview;
  const subscribers: { frames: LiveFrame[] }[] = [];
  const ended: string[] = [];
  const problems: ProblemAnswer[] = [];
  const feed = createLiveFeed({
    overview,
    problems: () => [...problems],
    endedOf: async (sessions) => sessions.filter(({ hash }) => ended.includes(hash)),
    channel: () => ({
      publish: (_, text) => subscribers.map(({ frames }) => frames.push(JSON.parse(text))),
      subscriberCount: () => subscribers.length,
    }),
  });
  const open = (session?: string) => {
    const view = { frames: [] as LiveFrame[], buffered: 0, closed: [] as unknown[] };
    const ws = {
      data: {
        protocol: "live",
        session: session && { hash: session, owner: { kind: "admin" }, expiresAt: Number.POSITIVE_INFINITY },
      },
      sendText: (text: string) => view.frames.push(JSON.parse(text)),
      subscribe: () => subscribers.push(view),
      getBufferedAmount: () => view.buffered,
      close: (code: number, reason: string) => view.closed.push({ code, reason }),
    } as unknown as LiveSocket;
    feed.websocket.open(ws);
    return view;
  };
  return { counts, waits, ended, problems, feed, open };
}

test("a view that opens while a frame is made misses no frame, and gets none that is in its overview", async () => {
  const { counts, waits, feed, open } = scene();
  const first = open();
  await settle();
  counts.asks = 2;
  const { promise: made, resolve: make } = Promise.withResolvers<void>();
  waits.push(made);
  feed.tick();
  await settle();
  const second = open();
  await settle();
  expect([first.frames.length, second.frames.length]).toEqual([1, 0]);
  make();
  await settle();
  expect(first.frames.at(-1)).toMatchObject({ type: "second", asks: [0, 1] });
  expect(second.frames).toMatchObject([{ type: "overview", seconds: 1, asks: 2 }]);
  counts.asks = 3;
  feed.tick();
  await settle();
  for (const { frames } of [first, second])
    expect(frames.at(-1)).toMatchObject({ sample: { at: "1" }, asks: [2] });
  expect(second.frames).toHaveLength(2);
});

test("a view gets the problems first, and again whenever they have changed", async () => {
  const { problems, feed, open } = scene();
  const problem = { id: "disk_low" } as ProblemAnswer;
  problems.push(problem);
  const first = open();
  await settle();
  expect(first.frames).toMatchObject([{ problems: [problem] }]);
  const pass = async () => {
    feed.tick();
    await settle();
  };
  await pass();
  expect(first.frames.at(-1)).not.toHaveProperty("problems");
  problems.pop();
  const second = open();
  await settle();
  // The others have yet to be sent what is newer: then it is news for both.
  expect(second.frames).toMatchObject([{ problems: [problem] }]);
  await pass();
  for (const { frames } of [first, second]) expect(frames.at(-1)).toMatchObject({ problems: [] });
});

test("frames are sent in their order, even if one takes longer to make than the next", async () => {
  const { waits, feed, open } = scene();
  const view = open();
  await settle();
  const { promise: made, resolve: make } = Promise.withResolvers<void>();
  waits.push(made);
  feed.tick();
  feed.tick();
  await settle();
  make();
  await settle();
  expect(view.frames.slice(1)).toMatchObject([{ sample: { at: "0" } }, { sample: { at: "1" } }]);
});

test("a view that reads nothing is closed before much is buffered for it", async () => {
  const { feed, open } = scene();
  const [deaf, other] = [open(), open()];
  await settle();
  deaf.buffered = 1024 * 1024;
  feed.tick();
  expect(deaf.closed).toEqual([]);
  deaf.buffered++;
  feed.tick();
  expect([deaf.closed, other.closed]).toEqual([[LIVE_CLOSE.too_slow], []]);
});

test("the views of a session close when it is ended at this server or at another one, and no others", async () => {
  const { ended, feed, open } = scene();
  const [first, second, other, byKey] = [open("a"), open("b"), open("c"), open()];
  await settle();
  feed.endSessions(["a", "x"]);
  expect(first.closed).toEqual([LIVE_CLOSE.session_ended]);
  ended.push("b");
  feed.tick();
  await settle();
  expect(second.closed).toEqual([LIVE_CLOSE.session_ended]);
  ended.push("c");
  feed.checkSessions();
  await settle();
  expect([other.closed, byKey.closed]).toEqual([[LIVE_CLOSE.session_ended], []]);
});
