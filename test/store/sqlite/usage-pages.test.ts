import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { userPrincipal } from "../../../src/principal.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";
import { usageRow } from "../../support/usage-row.ts";

const PAGE_BYTES = 4096;
const USERS = 20_000;
const ROWS = 1_000;

test("the usage rows of many users are written to few pages, as each is added at the end", async () => {
  const path = join(tempFolder(), "server.db");
  await openTestFile(path).close();
  const database = new Database(path);
  database.run(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO usage (at, request_id, user_id, surface, outcome, tries, queue_ms, duration_ms)
    SELECT i, 'req_' || i, 'user ' || (i % ?2), 'ask', 'ok', 1, 1, 1 FROM n`,
    [USERS * 3, USERS],
  );
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();

  const { usage } = openTestFile(path);
  for (let index = 0; index < ROWS; index++) {
    const user = `user ${(index * 7919) % USERS}`;
    usage.record(usageRow({ at: USERS * 3 + index, principal: userPrincipal(user) }));
  }
  const user = userPrincipal("user 7919");
  const [sum] = await usage.sum({ from: 0, to: Number.MAX_SAFE_INTEGER, by: [], principal: user, limit: 1 });
  expect(sum?.asks).toBe(4);
  const pages = statSync(`${path}-wal`).size / PAGE_BYTES;
  expect(pages).toBeLessThan(ROWS / 5);
});
