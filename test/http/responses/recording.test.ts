import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import type { ServerEvent } from "../../../src/http/middleware/event-stream.ts";
import type { EventSink, Recording } from "../../../src/http/responses/recording.ts";
import { RECORDING_AGE_MS, Recordings } from "../../../src/http/responses/recordings.ts";
import { createFakeClock } from "../../support/clock.ts";

const GRACE_MS = 30_000;

function scene(bytesMax = 1_000_000, graceMs = GRACE_MS) {
  const clock = createFakeClock();
  const recordings = new Recordings({ clock, bytesMax, graceMs });
  /** Begins the recording of a response that has told its id. */
  const begin = (owner: string | null, id: string): Recording => {
    const recording = recordings.begin(owner);
    recording.add([event(0, { response: { id } }, "response.created")]);
    return recording;
  };
  return { clock, recordings, begin };
}

const event = (
  sequence_number: number,
  fields: object = {},
  type = "response.output_text.delta",
): ServerEvent => ({
  event: type,
  data: JSON.stringify({ type, sequence_number, ...fields }),
});

function reader(): EventSink & { events: ServerEvent[]; isEnded: boolean } {
  const sink = {
    events: [] as ServerEvent[],
    isEnded: false,
    sendAll: (events: readonly ServerEvent[]) => void sink.events.push(...events),
    end: () => {
      sink.isEnded = true;
    },
  };
  return sink;
}

const numbersOf = ({ events }: { events: ServerEvent[] }) =>
  events.map(({ data }) => JSON.parse(data).sequence_number);

describe("the time that is left when the caller has gone", () => {
  test("an ask ends after the grace, and not while somebody reads its events", () => {
    const { clock, begin } = scene();
    const recording = begin("ann", "resp_1");
    recording.callerLeft();
    clock.advance(GRACE_MS - 1);
    expect(recording.signal.aborted).toBe(false);
    const leave = recording.read(reader(), -1);
    clock.advance(10 * GRACE_MS);
    expect(recording.signal.aborted).toBe(false);
    leave();
    clock.advance(GRACE_MS - 1);
    expect(recording.signal.aborted).toBe(false);
    clock.advance(1);
    expect(recording.signal.aborted).toBe(true);
  });

  test("an ask ends at once if nobody could resume it: without a grace, an id, or kept events", () => {
    const withoutGrace = scene(1_000_000, 0).begin("ann", "resp_1");
    const { recordings, begin } = scene();
    const withoutId = recordings.begin("ann");
    const withoutEvents = begin("ann", "resp_2");
    withoutEvents.drop();
    for (const recording of [withoutGrace, withoutId, withoutEvents]) {
      expect(recording.signal.aborted).toBe(false);
      recording.callerLeft();
      expect(recording.signal.aborted).toBe(true);
    }
  });

  test("an ask whose caller is there goes on, also when its events take too much memory or its readers leave", () => {
    const { clock, begin } = scene();
    const recording = begin("ann", "resp_1");
    recording.read(reader(), -1)();
    recording.drop();
    clock.advance(10 * GRACE_MS);
    expect(recording.signal.aborted).toBe(false);
  });
});

describe("the events of a recording", () => {
  test("a late reader gets the events after a number, also if the numbers have gaps or are missing", () => {
    const { begin } = scene();
    const recording = begin("ann", "resp_1");
    recording.add([event(2), event(5)]);
    recording.add([event(6)]);
    for (const [after, expected] of [
      [-1, [0, 2, 5, 6]],
      [0, [2, 5, 6]],
      [1, [2, 5, 6]],
      [2, [5, 6]],
      [5, [6]],
      [6, []],
      [99, []],
    ] as const) {
      const sink = reader();
      recording.read(sink, after);
      expect(numbersOf(sink)).toEqual([...expected]);
      expect(sink.isEnded).toBe(false);
    }
    const live = reader();
    recording.read(live, 6);
    recording.add([event(7)]);
    recording.end();
    expect(numbersOf(live)).toEqual([7]);
    expect(live.isEnded).toBe(true);
  });

  test("the events are found by their owner only, until some minutes after their end", () => {
    const { clock, recordings, begin } = scene();
    const recording = begin("ann", "resp_1");
    clock.advance(10 * RECORDING_AGE_MS);
    expect(recordings.find("ann", "resp_1")).toBe(recording);
    for (const other of ["eve", null]) expect(recordings.find(other, "resp_1")).toBeUndefined();
    recording.end();
    clock.advance(RECORDING_AGE_MS - 1);
    expect(recordings.find("ann", "resp_1")).toBe(recording);
    clock.advance(1);
    expect(recordings.find("ann", "resp_1")).toBeUndefined();
    expect(recordings.bytes).toBe(0);
  });

  test("too many events of one owner displace those that have ended, and then cannot be read themselves", () => {
    const { recordings, begin } = scene(80_000);
    const other = begin(null, "resp_0");
    const ended = begin("ann", "resp_1");
    ended.end();
    const long = begin("ann", "resp_2");
    for (let number = 1; number < 25; number++) long.add([event(number, { delta: "x".repeat(1_000) })]);
    expect(recordings.find("ann", "resp_1")).toBeUndefined();
    expect(long.isTooLong).toBe(true);
    expect(() => long.read(reader(), 0)).toThrow(AppError);
    expect(other.isTooLong).toBe(false);
    expect(recordings.bytes).toBeLessThan(10_000);
  });

  test("no number of owners takes more than all memory, and nothing is left of a user who was deleted", () => {
    const { recordings, begin } = scene(50_000);
    const all = Array.from({ length: 30 }, (_, index) => {
      const recording = begin(`user ${index}`, "resp_1");
      recording.add([event(1, { delta: "x".repeat(3_000) })]);
      expect(recordings.bytes).toBeLessThanOrEqual(50_000);
      return recording;
    });
    expect(all.filter(({ isTooLong }) => isTooLong).length).toBeGreaterThan(15);
    const last = all.at(-1);
    recordings.forget("user 29");
    expect(last?.signal.aborted).toBe(true);
    expect(recordings.find("user 29", "resp_1")).toBeUndefined();
    for (const recording of all) recording.end();
    for (const index of all.keys()) recordings.delete(`user ${index}`, "resp_1");
    expect(recordings.bytes).toBe(0);
  });
});

test("a reader who has more events than there are gets none of them again", () => {
  const { begin } = scene();
  const recording = begin("ann", "resp_1");
  const sink = reader();
  recording.read(sink, 3);
  recording.add([1, 2, 3].map((at) => event(at)));
  recording.add([event(4), event(5)]);
  expect(numbersOf(sink)).toEqual([4, 5]);
});
