import { getTableColumns } from "drizzle-orm";
import type { AuditEntry, AuditStore } from "../store.ts";
import type { Pools } from "./pools.ts";
import { createPurge } from "./purge.ts";
import { insertInto, rowsOf, selected } from "./rows.ts";
import { audit } from "./schema.ts";

const COLUMNS = getTableColumns(audit);
const { seq: _seq, ...ADDED } = COLUMNS;
const INSERT = insertInto(audit, Object.keys(ADDED));
const PAGE = `SELECT ${selected(COLUMNS)} FROM audit WHERE seq < $1::float8 ORDER BY seq DESC LIMIT $2::int`;

export function createAuditStore({ hot, cold }: Pools): AuditStore {
  return {
    add: async (entry) => void (await hot.run(INSERT, [rowsOf(audit, [entry])])),
    list: ({ limit, before = Number.MAX_SAFE_INTEGER }) =>
      cold.read<AuditEntry & { seq: number }>(PAGE, [before, limit]),
    purge: createPurge(cold, "audit", "at"),
  };
}
