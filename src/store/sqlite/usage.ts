import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../principal.ts";
import type { UsageRow, UsageStore } from "../store.ts";
import { createPurge } from "./purge.ts";
import { usage } from "./schema.ts";
import { createSums } from "./usage-sums.ts";
import { createWriteBehind, type WriteBehindOptions } from "./write-behind.ts";

const { seq: _, ...COLUMNS } = getTableColumns(usage);
const FIELDS = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

/** Runs for every ask, so it is prepared without drizzle, which would take as long as SQLite itself. */
const INSERT = `
  INSERT INTO usage (${Object.values(COLUMNS).map(({ name }) => name)})
  VALUES (${FIELDS.map(() => "?")})`;

export function createUsageStore(options: WriteBehindOptions) {
  const { connection } = options;
  const insert = connection.raw.prepare<never, (string | number | null)[]>(INSERT);
  const behind = createWriteBehind(options, {
    noun: "usage rows",
    keyOf: (row: UsageRow) => row,
    write(row) {
      insert.run(...FIELDS.map((field) => (field === "userId" ? userIdOf(row.principal) : row[field])));
    },
  });
  const sum = createSums(connection);
  const purge = createPurge(connection, "usage", "at");

  return {
    record(row) {
      behind.put({
        ...row,
        queueMs: Math.round(row.queueMs),
        firstByteMs: row.firstByteMs === null ? null : Math.round(row.firstByteMs),
        durationMs: Math.round(row.durationMs),
      });
    },

    async sum(query) {
      await behind.flush();
      return sum(query);
    },

    async tokensSince(from) {
      await behind.flush();
      const users = await sum({ from, to: Number.MAX_SAFE_INTEGER, by: ["user"], limit: Infinity });
      const tokens = new Map<string, number>();
      for (const { group, promptTokens, completionTokens } of users)
        if (typeof group.user === "string") tokens.set(group.user, promptTokens + completionTokens);
      return tokens;
    },

    async purge(before) {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  } satisfies UsageStore & { end(): Promise<void> };
}
