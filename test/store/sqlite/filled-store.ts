import { Database } from "bun:sqlite";
import { join } from "node:path";
import { DAY_MS } from "../../../src/durations.ts";
import type { Store } from "../../../src/store/store.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";

export const NOW = 100 * DAY_MS;

/** Creates a store with this many usage rows: the last hundred are of today, the others of day 1. */
export async function filledStore(rows: number): Promise<{ path: string; store: Store }> {
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
