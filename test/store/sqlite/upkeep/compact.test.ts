import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { DAY_MS } from "../../../../src/durations.ts";
import type { Store } from "../../../../src/store/store.ts";
import { turnsDuring } from "../../turns-during.ts";
import { filledStore, NOW } from "../filled-store.ts";

const asksIn = async (store: Store) =>
  (await store.usage.sum({ from: 0, to: 2 * NOW, by: [], limit: 1 })).map(({ asks }) => asks)[0] ?? 0;

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
