import { expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createCheckpointer } from "../../../src/store/sqlite/checkpoint.ts";
import { type Connection, connect } from "../../../src/store/sqlite/database.ts";
import { tempFolder } from "../../support/store.ts";

const WAL_PAGES = 100;
const PAGE_BYTES = 4_096;

/** Opens a database in a file that merges nothing by itself, with a table to fill. */
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

test("a long WAL is merged and restarted while writes go on, and nothing is lost", async () => {
  const { path, connection, fill } = openFile();
  const failures: Error[] = [];
  const checkpointer = createCheckpointer({
    connection,
    walPages: WAL_PAGES,
    onError: (error) => failures.push(error),
  });
  let written = 0;
  const sizeOf = (file: string) => statSync(file).size;
  // A WAL that was never restarted is as long as all that was written.
  const wasRestarted = () => sizeOf(`${path}-wal`) < (written * PAGE_BYTES) / 2;
  while (written < 100 * WAL_PAGES && !(wasRestarted() && sizeOf(path) > 10 * WAL_PAGES * PAGE_BYTES)) {
    await fill(10);
    written += 10;
    checkpointer.startIfLong();
    // Asks leave the thread time too: their rows are written every second.
    await Bun.sleep(1);
  }
  expect(wasRestarted()).toBe(true);
  expect(countIn(connection)).toBe(written);
  await checkpointer.end();
  expect(failures).toEqual([]);
  connection.end();
  const again = connect(path);
  expect(countIn(again)).toBe(written);
  again.end();
});

test("a short WAL is not merged, and after the end a long one is not merged either", async () => {
  const { path, connection, fill } = openFile();
  const checkpointer = createCheckpointer({ connection, walPages: WAL_PAGES, onError: () => {} });
  const before = statSync(path).size;
  await fill(10);
  checkpointer.startIfLong();
  const ended = checkpointer.end();
  await fill(WAL_PAGES);
  checkpointer.startIfLong();
  await ended;
  await checkpointer.end();
  expect(statSync(path).size).toBe(before);
  connection.end();
});

test("a failed checkpoint is reported, and retried after the next write", async () => {
  const { path, connection, fill } = openFile();
  let failed = Promise.withResolvers<string>();
  const onError = ({ message }: Error) => failed.resolve(message);
  const checkpointer = createCheckpointer({ connection, walPages: WAL_PAGES, onError });
  rmSync(path);
  for (let round = 0; round < 2; round++) {
    failed = Promise.withResolvers();
    await fill(WAL_PAGES);
    checkpointer.startIfLong();
    expect(await failed.promise).toStartWith("the checkpoint of the WAL failed: ");
  }
  await checkpointer.end();
  connection.end();
});
