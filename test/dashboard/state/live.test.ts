import { expect, test } from "bun:test";
import { createLive } from "../../../src/dashboard/state/live.ts";
import type { Overview } from "../../../src/http/live/schema.ts";
import { createFakeClock } from "../../support/clock.ts";

type Listener = Parameters<Parameters<typeof createLive>[0]["open"]>[0];

/** Sockets that the test opens, feeds and closes. */
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

test("it is open while somebody watches, and once, however many do", () => {
  const { live, opened, newest, clock } = scene();
  expect(opened).toHaveLength(0);
  const stops = [live.watch(), live.watch()];
  expect(opened).toHaveLength(1);
  stops[0]?.();
  expect(newest().isClosed).toBe(false);
  stops[1]?.();
  expect(newest().isClosed).toBe(true);
  expect(clock.pending(), "nothing is left to come").toBe(0);
  live.watch();
  expect(opened).toHaveLength(2);
});

test("it is live from the first frame on, and says when it is not", () => {
  const { live, newest, lost } = scene();
  live.watch();
  expect(live.state.get()).toEqual({ status: "connecting", pool: undefined });
  newest().on.message(frame);
  expect(live.state.get().status).toBe("live");
  newest().on.close();
  expect(live.state.get().status).toBe("away");
  expect(live.state.get().pool?.version, "what was known stays to be seen").toBe("1.0.0");
  expect(lost()).toBe(1);
});

test("it tries again later and later, at most after 15 s, and soon again once it was live", () => {
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

test("a socket that has fallen silent is given up", () => {
  const { live, clock, opened, newest } = scene();
  live.watch();
  clock.advance(14_000);
  newest().on.message(frame);
  clock.advance(14_000);
  expect(live.state.get().status).toBe("live");
  clock.advance(1_000);
  expect(live.state.get().status).toBe("away");
  expect(opened[0]?.isClosed).toBe(true);
  clock.advance(250);
  expect(opened).toHaveLength(2);
});

test("what is left while it is away is not opened again", () => {
  const { live, clock, opened, newest } = scene();
  const stop = live.watch();
  newest().on.close();
  stop();
  clock.advance(60_000);
  expect(opened).toHaveLength(1);
  expect(clock.pending()).toBe(0);
});

test.each([["nothing"], ["{"], ["null"], ['{"type":"other"}'], [new ArrayBuffer(3)]])(
  "%p is no frame, and does no harm",
  (data) => {
    const { live, newest } = scene();
    live.watch();
    newest().on.message(data);
    expect(live.state.get()).toEqual({ status: "connecting", pool: undefined });
  },
);
