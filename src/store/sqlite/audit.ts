import { desc, inArray, lt, sql } from "drizzle-orm";
import type { AuditStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { audit } from "./schema.ts";
import { purgeInBatches } from "./write-behind.ts";

export function createAuditStore(connection: Connection): AuditStore {
  const query = prepare(connection);
  return {
    async add(entry) {
      const detail = entry.detail && JSON.stringify(entry.detail);
      await connection.write(() => query.insert.run({ ...entry, detail }));
    },

    async list({ limit, before = Number.MAX_SAFE_INTEGER }) {
      return query.page.all({ limit, before });
    },

    purge: (before) => purgeInBatches(connection, (limit) => query.purge.all({ before, limit }).length),
  };
}

function prepare({ orm }: Connection) {
  const old = orm
    .select({ seq: audit.seq })
    .from(audit)
    .where(lt(audit.at, sql.placeholder("before")))
    .limit(sql.placeholder("limit"));
  return {
    insert: orm
      .insert(audit)
      .values({
        at: sql.placeholder("at"),
        actor: sql.placeholder("actor"),
        action: sql.placeholder("action"),
        target: sql.placeholder("target"),
        // Encoded by the caller, as drizzle would write a null as the JSON text `null`.
        detail: sql`${sql.placeholder("detail")}`,
        address: sql.placeholder("address"),
        requestId: sql.placeholder("requestId"),
      })
      .prepare(),
    page: orm
      .select()
      .from(audit)
      .where(lt(audit.seq, sql.placeholder("before")))
      .orderBy(desc(audit.seq))
      .limit(sql.placeholder("limit"))
      .prepare(),
    purge: orm.delete(audit).where(inArray(audit.seq, old)).returning({ seq: audit.seq }).prepare(),
  };
}
