import { inArray, lt, sql } from "drizzle-orm";
import { userIdOf } from "../../principal.ts";
import type { UsageRow, UsageStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { createPending } from "./pending.ts";
import { usage } from "./schema.ts";
import { createSums } from "./usage-sums.ts";
import { createWriteBehind, purgeInBatches, type WriteBehindOptions } from "./write-behind.ts";

interface WrittenBehind extends UsageStore {
  /** Writes the pending rows for the last time; those that cannot be written are reported and lost. */
  end(): Promise<void>;
}

export function createUsageStore(options: WriteBehindOptions): WrittenBehind {
  const { connection } = options;
  const query = prepare(connection);
  const pending = createPending((row: UsageRow) => row);
  const behind = createWriteBehind(options, {
    noun: "usage rows",
    pending,
    write: (row) => query.insert.run(...COLUMNS.map(([, field]) => columnOf(row, field))),
  });
  const sums = createSums(connection);

  return {
    record(row) {
      pending.put({
        ...row,
        queueMs: Math.round(row.queueMs),
        firstByteMs: row.firstByteMs === null ? null : Math.round(row.firstByteMs),
        durationMs: Math.round(row.durationMs),
      });
      behind.schedule();
    },

    async sum(query) {
      await behind.flush();
      return sums.sum(query);
    },

    async tokensSince(from) {
      await behind.flush();
      const users = await sums.sum({ from, to: Number.MAX_SAFE_INTEGER, by: ["user"], limit: Infinity });
      const tokens = new Map<string, number>();
      for (const { group, promptTokens, completionTokens } of users)
        if (typeof group.user === "string") tokens.set(group.user, promptTokens + completionTokens);
      return tokens;
    },

    async purge(before) {
      await behind.flush();
      return purgeInBatches(connection, (limit) => query.purge.all({ before, limit }).length);
    },

    end: behind.end,
  };
}

const COLUMNS = [
  ["at", "at"],
  ["request_id", "requestId"],
  ["user_id", "principal"],
  ["agent", "agent"],
  ["model", "model"],
  ["surface", "surface"],
  ["outcome", "outcome"],
  ["status", "status"],
  ["tries", "tries"],
  ["queue_ms", "queueMs"],
  ["first_byte_ms", "firstByteMs"],
  ["duration_ms", "durationMs"],
  ["prompt_tokens", "promptTokens"],
  ["completion_tokens", "completionTokens"],
] as const satisfies [string, keyof UsageRow][];

function columnOf(row: UsageRow, field: keyof UsageRow): string | number | null {
  return field === "principal" ? userIdOf(row.principal) : row[field];
}

/** Runs for every ask, so it is prepared without drizzle, which would take as long as SQLite itself. */
const INSERT = `
  INSERT INTO usage (${COLUMNS.map(([column]) => column).join(", ")})
  VALUES (${COLUMNS.map(() => "?").join(", ")})`;

function prepare({ orm, raw }: Connection) {
  const old = orm
    .select({ seq: usage.seq })
    .from(usage)
    .where(lt(usage.at, sql.placeholder("before")))
    .limit(sql.placeholder("limit"));
  return {
    insert: raw.prepare<never, (string | number | null)[]>(INSERT),
    purge: orm.delete(usage).where(inArray(usage.seq, old)).returning({ seq: usage.seq }).prepare(),
  };
}
