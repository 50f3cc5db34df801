import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ADMIN } from "../../../src/principal.ts";
import type { Store } from "../../../src/store/store.ts";
import { startUpkeep } from "../../../src/store/upkeep.ts";
import { DAY_MS } from "../../../src/time.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";

const NOW = 100 * DAY_MS;

/** Creates a store with this many usage rows: the last hundred are of today, the others of day 1. */
async function filledStore(rows: number): Promise<{ path: string; store: Store }> {
  const path = join(tempFolder(), "server.db");
  await openTestFile(path).close();
  const database = new Database(path);
  database.run("PRAGMA synchronous = OFF");
  database.run(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO usage (at, request_id, user_id, surface, outcome, tries, queue_ms, duration_ms)
    SELECT iif(i > ?1 - 100, ?2, ?3), hex(randomblob(60)), 'user ' || (i % 500), 'ask', 'ok', 1, 1, 1 FROM n`,
    [rows, NOW, DAY_MS],
  );
  database.close();
  return { path, store: openTestFile(path, { now: () => NOW }) };
}

const asksIn = async (store: Store) =>
  (await store.usage.sum({ from: 0, to: 2 * NOW, by: [], limit: 1 })).map(({ asks }) => asks)[0] ?? 0;

/** Resolves with the number of times the event loop went round while `run` worked. */
async function turnsDuring(run: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isRunning = true;
  const count = () => {
    turns++;
    if (isRunning) setImmediate(count);
  };
  setImmediate(count);
  await run();
  isRunning = false;
  return turns;
}

test("the space of deleted rows is returned in small steps, while others read and write", async () => {
  const { path, store } = await filledStore(60_000);
  const sizeBefore = statSync(path).size;
  const added: string[] = [];
  let ended = false;
  const others = async () => {
    while (!ended) {
      const id = `user ${added.length}`;
      await store.users.add([{ id, tokenHash: id, sealedToken: Buffer.from("t") }]);
      added.push(id);
      expect((await store.users.findByTokenHash(id))?.id).toBe(id);
      await new Promise(setImmediate);
    }
  };
  const working = others();
  const turns = await turnsDuring(async () => {
    expect(await store.usage.purge(NOW - DAY_MS)).toBe(59_900);
    const freed = await store.compact();
    expect(freed).toBeGreaterThan(sizeBefore / 3);
  });
  ended = true;
  await working;
  // A step deletes 250 rows.
  expect(turns).toBeGreaterThan(59_900 / 250);
  expect(added.length).toBeGreaterThan(10);
  expect((await store.users.list()).map(({ id }) => id)).toEqual(added);
  expect(await asksIn(store)).toBe(100);
  await store.close();
  expect(statSync(path).size).toBeLessThan(sizeBefore / 2);
});

test("a file with few free pages is not compacted", async () => {
  const { path, store } = await filledStore(2_000);
  await store.usage.purge(NOW - DAY_MS);
  const sizeBefore = statSync(path).size;
  expect(await store.compact()).toBe(0);
  expect(statSync(path).size).toBe(sizeBefore);
});

describe("a long write-ahead log", () => {
  async function grown() {
    const { path, store } = await filledStore(10);
    const users = Array.from({ length: 15_000 }, (_, n) => ({
      ...{ id: `user ${n}`, tokenHash: crypto.randomUUID(), sealedToken: Buffer.alloc(200) },
    }));
    await store.users.add(users);
    const walSize = () => statSync(`${path}-wal`).size;
    expect(walSize()).toBeGreaterThan(4 * 1024 ** 2);
    return { path, store, walSize };
  }

  test("compacting truncates a long write-ahead log", async () => {
    const { store, walSize } = await grown();
    await store.compact();
    expect(walSize()).toBe(0);
    expect(await store.users.list()).toHaveLength(15_000);
  });

  test("compacting leaves a long write-ahead log alone while another process reads from it", async () => {
    const { path, store, walSize } = await grown();
    await store.users.add([{ id: "one more", tokenHash: "h", sealedToken: Buffer.from("t") }]);
    const reader = new Database(path);
    reader.run("BEGIN");
    expect(reader.query("SELECT count(*) AS n FROM users").get()).toEqual({ n: 15_001 });
    await store.users.add([{ id: "and another", tokenHash: "i", sealedToken: Buffer.from("t") }]);
    await store.compact();
    expect(reader.query("SELECT count(*) AS n FROM users").get()).toEqual({ n: 15_001 });
    reader.run("COMMIT");
    reader.close();
    await store.compact();
    expect(walSize()).toBe(0);
  });
});

test("the upkeep deletes each kind of row after its own days, conversations before it lets the server start", async () => {
  const { store } = await filledStore(300);
  const conversation = { owner: ADMIN, agent: "a", kept: false, model: undefined };
  store.conversations.remember({ ...conversation, id: "now" });
  const note = { actor: "cli", action: "a", detail: null, address: null, requestId: null };
  await store.audit.add({ ...note, target: "old", at: NOW - 21 * DAY_MS });
  await store.audit.add({ ...note, target: "young", at: NOW - 19 * DAY_MS });
  const purged: [string, number][] = [];
  const all = Promise.withResolvers<void>();
  const stop = await startUpkeep({
    store,
    days: { conversations: 30, usage: 10, audit: 20 },
    now: () => NOW + 30 * DAY_MS - 1,
    purged: (what, count) => {
      purged.push([what, count]);
      if (what === "audit") all.resolve();
    },
    compacted: () => {},
    failed: all.reject,
  });
  expect(purged).toEqual([]);
  await all.promise;
  expect(purged).toEqual([
    ["usage", 300],
    ["audit", 2],
  ]);
  expect(await store.conversations.find("now")).toBeDefined();
  stop();
  const later = await startUpkeep({
    store,
    days: { conversations: 30, usage: 10, audit: 20 },
    now: () => NOW + 30 * DAY_MS + 1,
    purged: (what, count) => purged.push([what, count]),
    compacted: () => {},
    failed: () => {},
  });
  expect(purged.at(-1)).toEqual(["conversations", 1]);
  later();
});
