import { principalName } from "../../../principal.ts";
import {
  createRefusalCounts,
  type RefusalCount,
  type RefusalRow,
  refusalKey,
  sumRefusals,
} from "../../refusals.ts";
import type { RefusalStore } from "../../store.ts";
import { createWriteBehind, type WriteBehindOptions } from "../../write-behind.ts";
import type { Pools } from "../pools.ts";
import { createPurge } from "../purge.ts";
import { insertInto, plain, rowsOf } from "../rows.ts";
import { refusals } from "../schema.ts";

/** No other server writes these rows, so that none waits for another. */
const WRITE = `${insertInto(refusals, ["at", "principal", "reason", "run", "count"])}
  ON CONFLICT (at, principal, reason, run) DO UPDATE SET count = excluded.count`;
const SUM = `
  SELECT principal, reason, to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
    sum(count)::float8 AS count
  FROM refusals WHERE at >= $1::float8::bigint AND at < $2::float8::bigint
    AND ($3::text IS NULL OR principal = $3::text) GROUP BY 1, 2, 3`;

export function createRefusalStore({ hot, cold }: Pools, options: WriteBehindOptions) {
  const behind = createWriteBehind(options, {
    noun: "counts of refused requests",
    keyOf: refusalKey as (count: RefusalCount) => string,
    writeBatch: async (counts) => void (await hot.run(WRITE, [rowsOf(refusals, counts)])),
  });
  const purge = createPurge(cold, "refusals", "at");

  return {
    record: createRefusalCounts(behind.put),

    async sum({ from, to, by, principal }) {
      await behind.tryFlush();
      const values = [from, to, principal ? plain(principalName(principal)) : null];
      return sumRefusals(await cold.read<RefusalRow>(SUM, values), by);
    },

    async purge(before) {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  } satisfies RefusalStore & { end(): Promise<void> };
}
