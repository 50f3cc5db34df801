import { desc, getTableColumns, lt, sql } from "drizzle-orm";
import type { AuditStore } from "../store.ts";
import { type Connection, placeholders } from "./database.ts";
import { audit } from "./schema.ts";
import { createPurge } from "./upkeep/purge.ts";

const { seq: _seq, ...ADDED } = getTableColumns(audit);

export function createAuditStore(connection: Connection): AuditStore {
  const { orm, write } = connection;
  const insert = orm.insert(audit).values(placeholders(ADDED)).prepare();
  const page = orm
    .select()
    .from(audit)
    .where(lt(audit.seq, sql.placeholder("before")))
    .orderBy(desc(audit.seq))
    .limit(sql.placeholder("limit"))
    .prepare();
  return {
    async add(entry) {
      const detail = entry.detail && JSON.stringify(entry.detail);
      await write(() => insert.run({ ...entry, detail }));
    },
    list: async ({ limit, before = Number.MAX_SAFE_INTEGER }) => page.all({ limit, before }),
    purge: createPurge(connection, "audit", "at"),
  };
}
