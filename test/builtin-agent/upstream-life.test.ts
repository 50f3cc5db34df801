import { expect, test } from "bun:test";
import { UpstreamLife } from "../../src/builtin-agent/upstream-life.ts";
import { createFakeClock } from "../support/clock.ts";

/** The life of an ask's upstream, and what it makes the agent do. */
function watch(
  { stream = true, silenceMs }: { stream?: boolean; silenceMs?: number } = { silenceMs: 8_000 },
) {
  const clock = createFakeClock();
  const sent: string[] = [];
  let deadlines = 0;
  const life = new UpstreamLife({
    ask: { ask: "1", stream, deadline_ms: 10_000 },
    server: { silenceMs, send: (frame) => sent.push(frame.type) > 0 },
    clock,
    onDeadline: () => deadlines++,
  });
  return { clock, life, sent, deadlines: () => deadlines };
}

test("the server hears of comments four times within the silence that it allows, and not more often", () => {
  const { clock, life, sent } = watch({ silenceMs: 8_000 });
  for (let part = 0; part < 1_000; part++) {
    clock.advance(20);
    life.noteBytes();
  }
  expect(sent).toEqual(Array.from({ length: 10 }, () => "alive"));
});

test("the server hears of comments at least every 10 s, however long the silence that it allows", () => {
  const { clock, life, sent } = watch({ silenceMs: 3_600_000 });
  for (let second = 0; second < 100; second++) {
    clock.advance(1_000);
    life.noteBytes();
  }
  expect(sent).toHaveLength(10);
});

test("events tell as much, so nothing is added to a stream of events", () => {
  const { clock, life, sent } = watch();
  for (let part = 0; part < 100; part++) {
    clock.advance(1_900);
    life.noteBytes();
    life.noteEvent();
  }
  expect(sent).toEqual([]);
});

test("a server that does not know the frame gets none", () => {
  const { clock, life, sent } = watch({});
  clock.advance(9_000);
  life.noteBytes();
  expect(sent).toEqual([]);
});

test("the deadline counts from the last byte of the upstream", () => {
  const { clock, life, deadlines } = watch();
  for (let part = 0; part < 5; part++) {
    clock.advance(9_000);
    life.noteBytes();
  }
  clock.advance(9_999);
  expect(deadlines()).toBe(0);
  clock.advance(1);
  expect([deadlines(), clock.pending()]).toEqual([1, 0]);
});

test("bytes of an answer that is not streamed extend nothing", () => {
  const { clock, life, sent, deadlines } = watch({ stream: false, silenceMs: 8_000 });
  clock.advance(9_000);
  life.noteBytes();
  clock.advance(1_000);
  expect([sent, deadlines()]).toEqual([[], 1]);
});

test("an answer that has begun has no deadline", () => {
  const { clock, life, deadlines } = watch();
  life.endDeadline();
  clock.advance(100_000);
  expect([deadlines(), clock.pending()]).toEqual([0, 0]);
});
