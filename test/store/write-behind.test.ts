import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { createPending } from "../../src/store/pending.ts";
import { createWriteBehind } from "../../src/store/write-behind.ts";
import { advanceUntil, createFakeClock } from "../support/clock.ts";
import { openTestFile, tempFolder } from "../support/store.ts";
import { usageRow } from "../support/usage-row.ts";
import { turnsDuring } from "./turns-during.ts";

const createConversations = () => createPending((item: { id: string; usedAt: number }) => item.id);
const conversation = (usedAt: number) => ({ id: "c", usedAt });

test("a conversation used again while it is written stays pending", () => {
  const pending = createConversations();
  pending.put(conversation(1));
  const written = pending.first(10);
  pending.put(conversation(2));
  pending.settle(written);
  expect(pending.first(10)).toEqual([conversation(2)]);
  pending.settle(pending.first(10));
  expect(pending.size).toBe(0);
});

test("a dropped conversation is counted once", () => {
  const pending = createConversations();
  for (let index = 0; index < 10_002; index++) pending.put({ ...conversation(1), id: `c${index}` });
  pending.put({ ...conversation(2), id: "c2" });
  expect([pending.size, pending.takeLost(), pending.takeLost()]).toEqual([10_000, 2, 0]);
});

test("long texts are written in several transactions, and the oldest are dropped when they are too much", () => {
  const pending = createPending(
    (item: { id: number; length: number }) => item.id,
    ({ length }) => length,
  );
  const mebibytes = (count: number) => count * 1024 ** 2;
  for (let id = 0; id < 3; id++) pending.put({ id, length: mebibytes(1) });
  expect(pending.first(10, mebibytes(2)).map(({ id }) => id)).toEqual([0, 1]);
  pending.put({ id: 0, length: mebibytes(2) });
  expect(pending.length).toBe(mebibytes(4));
  pending.put({ id: 3, length: mebibytes(253) });
  expect([pending.first(10).map(({ id }) => id), pending.takeLost()]).toEqual([[1, 2, 3], 1]);
  pending.put({ id: 4, length: mebibytes(300) });
  expect([pending.first(10).map(({ id }) => id), pending.length]).toEqual([[4], mebibytes(300)]);
  pending.settle(pending.first(10));
  expect([pending.size, pending.length]).toEqual([0, 0]);
});

/** Returns the usage of a store with a fake clock, and what of it is in the file. */
function scene() {
  const path = join(tempFolder(), "server.db");
  const clock = createFakeClock();
  const { usage } = openTestFile(path, { now: clock.now, after: clock.after });
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  const record = (rows: number) => {
    for (let index = 0; index < rows; index++) usage.record(usageRow());
  };
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  };
  const written = () => onDisk.query("SELECT count(*) FROM usage").values()[0]?.[0];
  return { usage, record, pass, written };
}

test("an item waits for others, for a second at most", async () => {
  const { record, pass, written } = scene();
  record(1);
  await pass(999);
  expect(written()).toBe(0);
  record(1);
  await pass(1);
  expect(written()).toBe(2);
});

test("a thousand items wait for no more, and those after them for a second again", async () => {
  const { record, pass, written } = scene();
  record(1_000);
  await pass(0);
  expect(written()).toBe(1_000);
  record(1);
  await pass(999);
  expect(written()).toBe(1_000);
  await pass(1);
  expect(written()).toBe(1_001);
});

test("many items are written in many turns of the event loop", async () => {
  const { usage, record, written } = scene();
  record(9_999);
  expect(await turnsDuring(() => usage.usedSince({ day: 0, month: 0 }))).toBeGreaterThan(9_999 / 500);
  expect(written()).toBe(9_999);
});

/** Returns a write-behind with a fake clock. Each write ends as `results` says. */
function attempts() {
  const clock = createFakeClock();
  const results: (() => Promise<void>)[] = [];
  const written: number[][] = [];
  const behind = createWriteBehind(
    { after: clock.after, onError: () => {}, flushMs: 5 },
    {
      noun: "numbers",
      keyOf: (item: number) => item,
      async writeBatch(items) {
        await results.shift()?.();
        written.push([...items]);
      },
    },
  );
  return { clock, behind, results, written };
}

test("an attempt ends when what was pending is written, also if it was put during another write", async () => {
  const { clock, behind, results, written } = attempts();
  const first = Promise.withResolvers<void>();
  results.push(() => first.promise);
  behind.put(1);
  const one = behind.attempt();
  clock.advance(5);
  await new Promise(setImmediate);
  behind.put(2);
  const two = behind.attempt();
  first.resolve();
  await one;
  expect(written).toEqual([[1]]);
  await advanceUntil(clock, two);
  expect(written).toEqual([[1], [2]]);
  expect(clock.pending()).toBe(0);
});

test("an attempt ends when the write fails, and the next ones wait for nothing until a write succeeds", async () => {
  const { clock, behind, results, written } = attempts();
  results.push(() => Promise.reject(new Error("away")));
  behind.put(1);
  await advanceUntil(clock, behind.attempt());
  await behind.attempt();
  expect(written).toEqual([]);
  await behind.end();
  expect(written).toEqual([[1]]);
  await behind.attempt();
});

test("an attempt that begins during a write ends with it if the write fails", async () => {
  const { clock, behind, results, written } = attempts();
  const first = Promise.withResolvers<void>();
  results.push(() => first.promise);
  behind.put(1);
  const one = behind.attempt();
  clock.advance(5);
  await new Promise(setImmediate);
  behind.put(2);
  const two = behind.attempt();
  first.reject(new Error("away"));
  await Promise.all([one, two]);
  expect(written).toEqual([]);
});

test("an attempt ends when so many items are put that they are written at once", async () => {
  const { clock, behind, written } = attempts();
  for (let item = 0; item < 1_000; item++) behind.put(item);
  await advanceUntil(clock, behind.attempt());
  expect(written.flat()).toHaveLength(1_000);
});
