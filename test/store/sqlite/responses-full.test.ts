import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { asAppError, DatabaseFull } from "../../../src/errors.ts";
import { connect } from "../../../src/store/sqlite/database.ts";
import { createResponseStore } from "../../../src/store/sqlite/responses.ts";
import type { NewObject } from "../../../src/store/store.ts";
import { createFakeClock } from "../../support/clock.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";

const LONG = 100_000;

const object = (id: string, length: number): NewObject => ({
  ...{ owner: null, id, at: 5, length },
  encode: async () => ({ body: new Uint8Array(length).fill(id.length), items: [`item_of_${id}`] }),
});

/** Returns a store of responses with one that is written, and a function that leaves no room for another long one. */
async function scene() {
  const path = join(tempFolder(), "server.db");
  await openTestFile(path).close();
  const connection = connect(path);
  onTestFinished(() => connection.end());
  const store = createResponseStore({ connection, after: createFakeClock().after, onError: () => {} });
  store.put(object("resp_written", 10));
  await store.findByItem(null, "item_of_resp_written");
  const setPages = (count: number) => void connection.raw.run(`PRAGMA max_page_count = ${count}`);
  return { store, fill: () => setPages(1), empty: () => setPages(2 ** 30) };
}

test("responses can be read while the disk is full, those that could not be written too", async () => {
  const { store, fill, empty } = await scene();
  fill();
  store.put(object("resp_waiting", LONG));
  expect((await store.find(null, "resp_waiting"))?.body).toHaveLength(LONG);
  expect((await store.find(null, "resp_written"))?.body).toHaveLength(10);
  expect((await store.findByItem(null, "item_of_resp_written"))?.id).toBe("resp_written");
  empty();
  expect((await store.findByItem(null, "item_of_resp_waiting"))?.id).toBe("resp_waiting");
});

test("a response that could not be written is deleted, and does not come back when there is room", async () => {
  const { store, fill, empty } = await scene();
  fill();
  store.put(object("resp_waiting", LONG));
  expect(await store.delete(null, "resp_waiting")).toBe(true);
  expect(await store.delete(null, "resp_waiting")).toBe(false);
  empty();
  expect(await store.findByItem(null, "item_of_resp_waiting")).toBeUndefined();
  expect(await store.find(null, "resp_waiting")).toBeUndefined();
});

test("a change for which the disk has no room fails with an error that says so", async () => {
  const { store, fill } = await scene();
  fill();
  const change = { owner: null, id: "conv_1", at: 5, body: new Uint8Array(LONG), items: [] };
  const failure: unknown = await store.replace(change, 0).catch((error) => error);
  expect(failure).toBeInstanceOf(DatabaseFull);
  const { code, message, hint } = asAppError(failure);
  expect([code, message, hint]).toEqual([
    "database_away",
    "The database cannot be changed",
    "The server's disk is full.",
  ]);
});
