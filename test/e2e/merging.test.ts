import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { startScene } from "../support/scene.ts";

const ASKS = 120;
const CALLERS = 4;
const TEXT_LENGTH = 400_000;

/** Without the thread, the server's own connection would merge the log at 64 MB. */
const WAL_BYTES_MAX = 56 * 1024 ** 2;

test("the executable's thread merges the write-ahead log while asks run, and every row is kept", async () => {
  const scene = await startScene({ flags: ["--echo"] });
  await scene.server.output(/"agent_joined"/);
  const path = join(scene.server.data, "server.db");
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let walBytes = 0;
  let left = ASKS;
  const caller = async () => {
    while (left-- > 0) {
      const content = `${left} `.padEnd(TEXT_LENGTH, "x");
      const { status, body } = await scene.ask({ content });
      expect([status, body.content]).toEqual([200, content]);
      walBytes = Math.max(walBytes, sizeOf(`${path}-wal`));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  expect(sizeOf(path)).toBeGreaterThan(ASKS * TEXT_LENGTH);
  expect(walBytes).toBeLessThan(WAL_BYTES_MAX);
  expect(scene.server.stdout()).not.toContain("store_write_failed");

  scene.server.kill();
  await scene.server.exited;
  expect(sizeOf(`${path}-wal`)).toBe(0);
  const database = new Database(path, { readonly: true });
  const kept = database.query("SELECT count(*) AS count, sum(length(answer)) AS length FROM turns").get();
  expect(kept).toEqual({ count: ASKS, length: ASKS * TEXT_LENGTH });
  database.close();
});
