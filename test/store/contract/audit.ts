import { describe, expect, test } from "bun:test";
import type { AuditEntry } from "../../../src/store/store.ts";
import { type BackEnd, countIn, openNew, type TestStoreOptions } from "./back-end.ts";

/** Defines the tests of the audit. */
export function testAudit(backEnd: BackEnd): void {
  const openStore = (options?: TestStoreOptions) => openNew(backEnd, options);

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
      const { audit } = await openStore();
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

    test("unknown values of an audit entry are null, also in the table", async () => {
      const data = await backEnd.create();
      const { audit } = await data.open();
      const bare = entry(1, { target: null, detail: null, address: null, requestId: null });
      await audit.add(bare);
      expect(await audit.list({ limit: 1 })).toEqual([{ seq: 1, ...bare }]);
      expect(await countIn(data, "audit WHERE detail IS NULL")).toBe(1);
    });

    test("the audit is complete after the store was closed and opened again", async () => {
      const data = await backEnd.create();
      const first = await data.open();
      await first.audit.add(entry(1));
      await first.close();
      expect(await (await data.open()).audit.list({ limit: 9 })).toEqual([{ seq: 1, ...entry(1) }]);
    });

    test("a purge deletes the audit entries before the limit, and no number is used twice", async () => {
      const { audit } = await openStore();
      for (const at of [1, 2, 3]) await audit.add(entry(at));
      expect(await audit.purge(3)).toBe(2);
      expect((await audit.list({ limit: 9 })).map(({ at }) => at)).toEqual([3]);
      expect(await audit.purge(4)).toBe(1);
      await audit.add(entry(4));
      expect((await audit.list({ limit: 9 })).map(({ seq }) => seq)).toEqual([4]);
    });
  });
}
