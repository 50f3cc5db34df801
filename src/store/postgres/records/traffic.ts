import { getTableColumns } from "drizzle-orm";
import { stepKeyOf, type TrafficStep, type TrafficStore } from "../../records.ts";
import { createWriteBehind, type WriteBehindOptions } from "../../write-behind.ts";
import type { Pools } from "../pools.ts";
import { createPurge } from "../purge.ts";
import { insertInto, plain, rowsOf } from "../rows.ts";
import { traffic } from "../schema.ts";

/** Each process changes rows of its own, so that none waits for another. */
const INSERT = `${insertInto(traffic, Object.keys(getTableColumns(traffic)))}
  ON CONFLICT (step_ms, kind, at, name, run) DO UPDATE SET data = excluded.data`;

const SELECT = `SELECT at::float8 AS at, name, data FROM traffic
  WHERE step_ms = $1::float8::bigint AND kind = $2::text AND at >= $3::float8::bigint AND at < $4::float8::bigint
  AND ($5::text IS NULL OR name = $5)`;

export function createTrafficStore({ cold }: Pools, options: WriteBehindOptions) {
  const behind = createWriteBehind(options, {
    noun: "steps of the traffic",
    keyOf: stepKeyOf,
    writeBatch: async (steps: readonly TrafficStep[]) =>
      void (await cold.run(INSERT, [rowsOf(traffic, steps)])),
  });

  return {
    record: behind.put,

    async read({ stepMs, kind, from, to, name }) {
      await behind.tryFlush();
      return cold.read<Pick<TrafficStep, "at" | "name" | "data">>(SELECT, [
        stepMs,
        kind,
        from,
        to,
        name === undefined ? null : plain(name),
      ]);
    },

    purge: createPurge(cold, "traffic", "expires_at"),
    end: behind.end,
  } satisfies TrafficStore & { end(): Promise<void> };
}
