import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { createLog } from "../../src/log/log.ts";
import { readUsedBefore } from "../../src/server/used-today.ts";
import { openTestFile, tempFolder } from "../support/store.ts";
import { usageRow } from "../support/usage-row.ts";

const NOON = Date.UTC(2030, 0, 1, 12);

function scene() {
  const path = join(tempFolder(), "server.db");
  const store = openTestFile(path);
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const read = async (now = NOON) => [...(await readUsedBefore(store, log, now))];
  return { path, store, read, logged: () => lines.map((line) => JSON.parse(line)) };
}

test("a start counts the use of each user since midnight, and the cost since the first of the month", async () => {
  const { store, read, logged } = scene();
  const day = 24 * 3_600_000;
  // The month begins at midnight of this day, and a later day of it is read below.
  store.usage.record(usageRow({ at: NOON - 1000, costNanos: 5 }));
  store.usage.record(usageRow({ at: NOON - 13 * 3_600_000, costNanos: 70 }));
  expect(await read()).toEqual([["ann", { tokens: 30, dayNanos: 5, monthNanos: 5 }]]);
  expect(await read(NOON + day)).toEqual([["ann", { tokens: 0, dayNanos: 0, monthNanos: 5 }]]);
  expect(await read(NOON + 31 * day)).toEqual([]);
  expect(logged()).toEqual([]);
});

test("usage that cannot be read counts as none, and the log says usage_unreadable", async () => {
  const { path, store, read, logged } = scene();
  store.usage.record(usageRow({ at: NOON - 1000 }));
  await store.usage.purge(0);
  const other = new Database(path);
  other.exec("DROP TABLE usage");
  other.close();
  expect(await read()).toEqual([]);
  expect(logged()).toMatchObject([
    { level: "warn", event: "usage_unreadable", cause: expect.stringContaining("no such table: usage") },
  ]);
});
