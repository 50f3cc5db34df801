import { expect, test } from "bun:test";
import { AUDIT_ACTIONS } from "../../src/audit-actions.ts";
import { LOOKED_MAX, listAudit } from "../../src/auth/audit-list.ts";
import type { AuditEntry } from "../../src/store/store.ts";
import { openTestStore } from "../support/store.ts";

const NOTE: AuditEntry = {
  ...{
    at: 1,
    actor: "admin",
    action: "user.add",
    target: null,
    detail: null,
    address: null,
    requestId: null,
  },
};

async function scene(entries: readonly Partial<AuditEntry>[]) {
  const { audit } = openTestStore();
  for (const entry of entries) await audit.add({ ...NOTE, ...entry });
  const list = async (page: Omit<Parameters<typeof listAudit>[1], "limit"> & { limit?: number }) => {
    const { entries, next } = await listAudit(audit, { limit: 100, ...page });
    return { seqs: entries.map(({ seq }) => seq), next };
  };
  return { audit, list };
}

test("entries are found by who made the change, and by the action or its first part", async () => {
  const { list } = await scene([
    { action: "user.add" },
    { action: "user.delete", actor: "cli" },
    { action: "backup", actor: "cli" },
    { action: "agent.reset" },
    { action: "agent_key.add", actor: "agent" },
  ]);
  expect(await list({})).toEqual({ seqs: [5, 4, 3, 2, 1], next: null });
  expect(await list({ actor: "cli" })).toEqual({ seqs: [3, 2], next: null });
  expect(await list({ action: "user" })).toEqual({ seqs: [2, 1], next: null });
  expect(await list({ action: "user.delete" })).toEqual({ seqs: [2], next: null });
  expect(await list({ action: "agent" })).toEqual({ seqs: [4], next: null });
  expect(await list({ action: "backup" })).toEqual({ seqs: [3], next: null });
  expect(await list({ actor: "cli", action: "user" })).toEqual({ seqs: [2], next: null });
});

test("entries are found by words of their target, details, address and request, whatever the accents and case", async () => {
  const { list } = await scene([
    { target: "0a1b-c", detail: { name: "Zoë Müller" } },
    { address: "192.0.2.7", requestId: "req_abc" },
    { action: "backup", detail: { failed: "audit_failed" } },
  ]);
  for (const search of ["zoe", "ZOË", "mull zoe", "0A1b", "  zoe   muller "])
    expect([search, await list({ search })]).toEqual([search, { seqs: [1], next: null }]);
  expect((await list({ search: "192.0.2.7" })).seqs).toEqual([2]);
  expect((await list({ search: "req_abc" })).seqs).toEqual([2]);
  expect((await list({ search: "failed backup" })).seqs).toEqual([3]);
  expect((await list({ search: "zoe 192.0.2.7" })).seqs).toEqual([]);
  expect((await list({ search: "  " })).seqs).toEqual([3, 2, 1]);
});

test("the pages of what was found have neither gaps nor duplicates", async () => {
  const count = 1200;
  const { list } = await scene(
    Array.from({ length: count }, (_, index) => ({ actor: index % 3 === 0 ? ("cli" as const) : "admin" })),
  );
  const found: number[] = [];
  let before: number | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const { seqs, next } = await list({ actor: "cli", limit: 7, before });
    found.push(...seqs);
    if (next === null) break;
    before = next;
  }
  const expected = Array.from({ length: count }, (_, index) => index + 1).filter((seq) => seq % 3 === 1);
  expect(found).toEqual(expected.reverse());
});

test("a page looks through a limited number of entries, and the next page goes on after them", async () => {
  let read = 0;
  const total = 3 * LOOKED_MAX;
  const store = {
    list: async ({ limit, before = total + 1 }: { limit: number; before?: number }) => {
      const seqs = Array.from({ length: Math.min(limit, before - 1) }, (_, index) => before - 1 - index);
      read += seqs.length;
      return seqs.map((seq) => ({ ...NOTE, seq, target: seq === 1 ? "the first" : "another" }));
    },
  };
  const search = { limit: 10, search: "first" };
  const one = await listAudit(store, search);
  expect([one, read]).toEqual([{ entries: [], next: 2 * LOOKED_MAX + 1 }, LOOKED_MAX]);
  const two = await listAudit(store, { ...search, before: one.next ?? 0 });
  const three = await listAudit(store, { ...search, before: two.next ?? 0 });
  expect(three.entries.map(({ seq }) => seq)).toEqual([1]);
  expect(await listAudit(store, { ...search, before: three.next ?? 0 })).toMatchObject({ next: null });
});

test("docs/api.md names every action of the audit", async () => {
  const page = await Bun.file(new URL("../../docs/api.md", import.meta.url)).text();
  const section = page.split("\n## Audit\n")[1]?.split("\n## ")[0] ?? "";
  expect(AUDIT_ACTIONS.filter((action) => !section.includes(`\`${action}\``))).toEqual([]);
});
