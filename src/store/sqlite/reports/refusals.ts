import { principalName } from "../../../principal.ts";
import {
  createRefusalCounts,
  type RefusalCount,
  type RefusalRow,
  refusalKey,
  sumRefusals,
} from "../../refusals.ts";
import type { RefusalStore } from "../../store.ts";
import { createWriteBehind } from "../../write-behind.ts";
import type { SqliteBehindOptions } from "../database.ts";
import { createPurge } from "../upkeep/purge.ts";

/** The counts added up at a time, so that a long period does not block asks. */
const SLICE_ROWS = 5_000;

const WRITE = `
  INSERT INTO refusals (at, principal, reason, run, count) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT DO UPDATE SET count = excluded.count`;
const SUM = `
  SELECT principal, reason, strftime('%Y-%m-%d', at / 1000, 'unixepoch') AS day, sum(count) AS count
  FROM refusals WHERE at >= ?1 AND at < ?2 AND (?3 IS NULL OR principal = ?3) GROUP BY 1, 2, 3`;

export function createRefusalStore({ connection, onWritten, ...options }: SqliteBehindOptions) {
  const { raw } = connection;
  const write = raw.prepare<never, [number, string, string, string, number]>(WRITE);
  const behind = createWriteBehind(options, {
    noun: "counts of refused requests",
    keyOf: refusalKey as (count: RefusalCount) => string,
    async writeBatch(counts) {
      const writeOne = ({ at, principal, reason, run, count }: RefusalCount) =>
        write.run(at, principal, reason, run, count);
      await connection.write(() => counts.forEach(writeOne), { durable: false });
      onWritten?.();
    },
  });
  const sliceEnd = raw.prepare<{ at: number }, [number, number]>(
    `SELECT at FROM refusals WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET ${SLICE_ROWS}`,
  );
  const sum = raw.prepare<RefusalRow, [number, number, string | null]>(SUM);
  const purge = createPurge(connection, "refusals", "at");

  return {
    record: createRefusalCounts(behind.put),

    async sum({ from, to, by, principal }) {
      await behind.tryFlush();
      const rows: RefusalRow[] = [];
      for (let start = from; start < to; ) {
        const end = Math.max(sliceEnd.get(start, to)?.at ?? to, start + 1);
        rows.push(...sum.all(start, end, principal ? principalName(principal) : null));
        start = end;
        if (start < to) await new Promise(setImmediate);
      }
      return sumRefusals(rows, by);
    },

    async purge(before) {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  } satisfies RefusalStore & { end(): Promise<void> };
}
