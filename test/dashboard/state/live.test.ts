import { expect, test } from "bun:test";
import { createLive } from "../../../src/dashboard/state/live.ts";
import type { Overview } from "../../../src/http/live/schema.ts";
import { createFakeClock } from "../../support/clock.ts";

type Listener = Parameters<Parameters<typeof createLive>[0]["open"]>[0];

/** A live view on sockets that the test feeds and closes, and a clock that the test moves. */
function scene(random = 0) {
  const clock = createFakeClock();
  const opened: { on: Listener; isClosed: boolean }[] = [];
  let lost = 0;
  const live = createLive({
    open(on) {
      const socket = { on, isClosed: false };
      opened.push(socket);
      return () => {
        socket.isClosed = true;
      };
    },
    after: clock.after,
    random: () => random,
    onLost: () => lost++,
  });
  const newest = () => {
    const socket = opened.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  return { clock, live, opened, newest, lost: () => lost };
}

const frame = JSON.stringify({
  type: "overview",
  version: "1.0.0",
  samples: { from: "2026-11-23T12:00:00.000Z", every_ms: 1000, asks: [] },
  asks: [] as Overview["asks"],
});

test("the socket is open while anyone watches, and is shared by all watchers", () => {
  const { live, opened, newest, clock } = scene();
  expect(opened).toHaveLength(0);
  const stops = [live.watch(), live.watch()];
  expect(opened).toHaveLength(1);
  stops[0]?.();
  expect(newest().isClosed).toBe(false);
  stops[1]?.();
  expect(newest().isClosed).toBe(true);
  expect(clock.pending(), "no timer is left").toBe(0);
  live.watch();
  expect(opened).toHaveLength(2);
});

test("the state is live from the first frame until the socket is lost", () => {
  const { live, newest, lost } = scene();
  live.watch();
  expect(live.state.get()).toEqual({ status: "connecting", overview: undefined });
  newest().on.message(frame);
  expect(live.state.get().status).toBe("live");
  newest().on.close();
  expect(live.state.get().status).toBe("reconnecting");
  expect(live.state.get().overview?.version, "the last overview stays").toBe("1.0.0");
  expect(lost()).toBe(1);
});

test("an overview that was loaded in another way is shown until a frame comes, and never after one", () => {
  const { live, newest } = scene();
  const loaded = { ...JSON.parse(frame), version: "loaded" } as Overview;
  live.watch();
  live.show(loaded);
  const { status, overview } = live.state.get();
  expect([status, overview?.version]).toEqual(["connecting", "loaded"]);
  newest().on.message(frame);
  expect(live.state.get().overview?.version).toBe("1.0.0");
  live.show(loaded);
  expect(live.state.get().overview?.version, "the frame is newer").toBe("1.0.0");
});

test("reconnecting backs off up to 15 s, and starts over after a successful connection", () => {
  const { live, clock, opened, newest } = scene();
  live.watch();
  const delays: number[] = [];
  for (let round = 0; round < 8; round++) {
    const before = opened.length;
    newest().on.close();
    const from = clock.now();
    while (opened.length === before) clock.advance(50);
    delays.push(clock.now() - from);
  }
  expect(delays).toEqual([250, 500, 1000, 2000, 4000, 7500, 7500, 7500]);
  newest().on.message(frame);
  newest().on.close();
  const before = opened.length;
  clock.advance(250);
  expect(opened).toHaveLength(before + 1);
});

test("a silent socket is given up", () => {
  const { live, clock, opened, newest } = scene();
  live.watch();
  clock.advance(14_000);
  newest().on.message(frame);
  clock.advance(14_000);
  expect(live.state.get().status).toBe("live");
  clock.advance(1_000);
  expect(live.state.get().status).toBe("reconnecting");
  expect(opened[0]?.isClosed).toBe(true);
  clock.advance(250);
  expect(opened).toHaveLength(2);
});

test("the socket is not reopened after the last watcher left", () => {
  const { live, clock, opened, newest } = scene();
  const stop = live.watch();
  newest().on.close();
  stop();
  clock.advance(60_000);
  expect(opened).toHaveLength(1);
  expect(clock.pending()).toBe(0);
});

test.each([["nothing"], ["{"], ["null"], ['{"type":"other"}'], [new ArrayBuffer(3)]])(
  "%p is not a frame, and is ignored",
  (data) => {
    const { live, newest } = scene();
    live.watch();
    newest().on.message(data);
    expect(live.state.get()).toEqual({ status: "connecting", overview: undefined });
  },
);
