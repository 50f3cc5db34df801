import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import type { AuditEntry } from "../../../src/store/store.ts";
import { openTestFile, openTestStore, tempFolder } from "../../support/store.ts";

const entry = (at: number, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  at,
  actor: "admin",
  action: "user.add",
  target: `user ${at}`,
  detail: { name: "Ann", max_parallel: 2 },
  address: "192.0.2.1",
  requestId: `req_${at}`,
  ...changes,
});

describe("the audit", () => {
  test("the audit returns its entries newest first, in pages without gaps or duplicates", async () => {
    const { audit } = openTestStore();
    // Entries are in the order in which they were added, whatever the clock said.
    for (const at of [5, 1, 9, 7, 3]) await audit.add(entry(at));
    const first = await audit.list({ limit: 2 });
    expect(first).toEqual([
      { seq: 5, ...entry(3) },
      { seq: 4, ...entry(7) },
    ]);
    const rest = await audit.list({ limit: 10, before: first.at(-1)?.seq ?? 0 });
    expect(rest.map(({ at }) => at)).toEqual([9, 1, 5]);
    expect(await audit.list({ limit: 10, before: rest.at(-1)?.seq ?? 0 })).toEqual([]);
  });

  test("unknown values of an audit entry are null, also in the file", async () => {
    const path = join(tempFolder(), "server.db");
    const { audit } = openTestFile(path);
    const bare = entry(1, { target: null, detail: null, address: null, requestId: null });
    await audit.add(bare);
    expect(await audit.list({ limit: 1 })).toEqual([{ seq: 1, ...bare }]);
    const database = new Database(path, { readonly: true });
    onTestFinished(() => database.close());
    expect(database.query("SELECT count(*) AS count FROM audit WHERE detail IS NULL").get()).toEqual({
      count: 1,
    });
  });

  test("the audit is complete after the store was closed and opened again", async () => {
    const path = join(tempFolder(), "server.db");
    const first = openTestFile(path);
    await first.audit.add(entry(1));
    await first.close();
    expect(await openTestFile(path).audit.list({ limit: 9 })).toEqual([{ seq: 1, ...entry(1) }]);
  });

  test("a purge deletes the audit entries before the limit, and no number is used twice", async () => {
    const { audit } = openTestStore();
    for (const at of [1, 2, 3]) await audit.add(entry(at));
    expect(await audit.purge(3)).toBe(2);
    expect((await audit.list({ limit: 9 })).map(({ at }) => at)).toEqual([3]);
    expect(await audit.purge(4)).toBe(1);
    await audit.add(entry(4));
    expect((await audit.list({ limit: 9 })).map(({ seq }) => seq)).toEqual([4]);
  });
});
