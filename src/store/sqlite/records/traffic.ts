import { stepKeyOf, type TrafficStep, type TrafficStore } from "../../records.ts";
import { createWriteBehind } from "../../write-behind.ts";
import type { SqliteBehindOptions } from "../database.ts";
import { createPurge } from "../upkeep/purge.ts";

type Found = Pick<TrafficStep, "at" | "name" | "data">;

/** The steps read at a time, each with up to some hundred rows, so that a long period blocks no asks. */
const SLICE_STEPS = 50;

export function createTrafficStore({ connection, onWritten, ...options }: SqliteBehindOptions) {
  const { raw } = connection;
  const insert = raw.prepare<never, (string | number)[]>(
    `INSERT INTO traffic (step_ms, kind, at, name, run, expires_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT DO UPDATE SET data = excluded.data`,
  );
  const select = raw.prepare<Found, (string | number | null)[]>(
    `SELECT at, name, data FROM traffic
      WHERE step_ms = ?1 AND kind = ?2 AND at >= ?3 AND at < ?4 AND (?5 IS NULL OR name = ?5)`,
  );
  const behind = createWriteBehind(options, {
    noun: "steps of the traffic",
    keyOf: stepKeyOf,
    async writeBatch(steps: readonly TrafficStep[]) {
      await connection.write(() => steps.forEach(writeOne), { durable: false });
      onWritten?.();
    },
  });
  const writeOne = ({ stepMs, kind, at, name, run, expiresAt, data }: TrafficStep) =>
    insert.run(stepMs, kind, at, name, run, expiresAt, data);
  const purge = createPurge(connection, "traffic", "expires_at");

  return {
    record: behind.put,

    async read({ stepMs, kind, from, to, name }) {
      await behind.tryFlush();
      const found: Found[] = [];
      for (let at = from; at < to; at += SLICE_STEPS * stepMs) {
        if (at > from) await new Promise(setImmediate);
        found.push(...select.all(stepMs, kind, at, Math.min(to, at + SLICE_STEPS * stepMs), name ?? null));
      }
      return found;
    },

    purge,
    end: behind.end,
  } satisfies TrafficStore & { end(): Promise<void> };
}
