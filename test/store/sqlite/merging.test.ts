import { expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Connection, connect } from "../../../src/store/sqlite/database.ts";
import { createMerging } from "../../../src/store/sqlite/merging.ts";
import { tempFolder } from "../../support/store.ts";

const WAL_PAGES = 100;
const PAGE_BYTES = 4_096;

/** A database in a file that merges nothing by itself, with a table to be filled. */
function openFile(): { path: string; connection: Connection; fill(pages: number): Promise<void> } {
  const path = join(tempFolder(), "server.db");
  const connection = connect(path);
  const { raw, write } = connection;
  raw.run("PRAGMA journal_mode = WAL");
  raw.run("PRAGMA wal_autocheckpoint = 0");
  raw.run("CREATE TABLE filled (page BLOB)");
  const insert = raw.prepare("INSERT INTO filled VALUES (zeroblob(?))");
  const fill = (pages: number) =>
    write(() => {
      for (let page = 0; page < pages; page++) insert.run(PAGE_BYTES);
    });
  return { path, connection, fill };
}

const countIn = ({ raw }: Connection) =>
  raw.query<{ count: number }, []>("SELECT count(*) AS count FROM filled").get()?.count;

test("a WAL that has grown long is merged, and begins anew under writes that go on; nothing is lost", async () => {
  const { path, connection, fill } = openFile();
  const failures: Error[] = [];
  const merging = createMerging({
    connection,
    walPages: WAL_PAGES,
    onError: (error) => failures.push(error),
  });
  let written = 0;
  const sizeOf = (file: string) => statSync(file).size;
  while (sizeOf(path) < 40 * WAL_PAGES * PAGE_BYTES) {
    await fill(10);
    written += 10;
    merging.look();
    // As asks leave it time to: their rows are written every 50 ms.
    await Bun.sleep(1);
  }
  expect(countIn(connection)).toBe(written);
  expect(sizeOf(`${path}-wal`)).toBeLessThan(sizeOf(path) / 2);
  await merging.end();
  expect(failures).toEqual([]);
  connection.end();
  const again = connect(path);
  expect(countIn(again)).toBe(written);
  again.end();
});

test("a short WAL is left alone, and after the end a long one too", async () => {
  const { path, connection, fill } = openFile();
  const merging = createMerging({ connection, walPages: WAL_PAGES, onError: () => {} });
  const before = statSync(path).size;
  await fill(10);
  merging.look();
  const ended = merging.end();
  await fill(WAL_PAGES);
  merging.look();
  await ended;
  await merging.end();
  expect(statSync(path).size).toBe(before);
  connection.end();
});

test("a merge that fails is told, and tried again when more was written", async () => {
  const { path, connection, fill } = openFile();
  const failures: string[] = [];
  const failed = Promise.withResolvers<void>();
  const onError = ({ message }: Error) => {
    failures.push(message);
    if (failures.length === 2) failed.resolve();
  };
  const merging = createMerging({ connection, walPages: WAL_PAGES, onError });
  rmSync(path);
  while (failures.length < 2) {
    await fill(WAL_PAGES);
    merging.look();
    await Promise.race([failed.promise, Bun.sleep(20)]);
  }
  expect(failures[0]).toStartWith("the WAL could not be merged: ");
  await merging.end();
  connection.end();
});
