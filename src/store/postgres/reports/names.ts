import { createNameNotes, nameKey, type UsageName } from "../../names.ts";
import type { NamedGroup } from "../../store.ts";
import { createWriteBehind, type WriteBehindOptions } from "../../write-behind.ts";
import type { Run } from "../pool.ts";
import type { Pools } from "../pools.ts";
import { createPurge } from "../purge.ts";
import { insertInto, plain, rowsOf } from "../rows.ts";
import { usageNames } from "../schema.ts";

const WRITE = `${insertInto(usageNames, ["kind", "id", "name", "seenAt"])}
  ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at`;

/** Writes names, in an order that is the same on all servers: they write the same rows, and would else deadlock. */
export async function writeNames(run: Run, names: readonly UsageName[]): Promise<void> {
  const sorted = names.toSorted((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1));
  await run(WRITE, [rowsOf(usageNames, sorted)]);
}

const IDS = "(SELECT json_array_elements_text($1::text::json))";
const FIND: Record<NamedGroup, string> = {
  agent: `SELECT id, name FROM usage_names WHERE kind = 'agent' AND id IN ${IDS}`,
  user: `SELECT id, name FROM users WHERE name IS NOT NULL AND id IN ${IDS}
    UNION ALL SELECT id, name FROM usage_names WHERE kind = 'user' AND id IN ${IDS}
      AND NOT EXISTS (SELECT FROM users WHERE users.id = usage_names.id)`,
};

/** Keeps the names of the agents and users in the usage. */
export function createNames({ hot, cold }: Pools, options: WriteBehindOptions) {
  const behind = createWriteBehind(options, {
    noun: "names",
    keyOf: nameKey,
    writeBatch: (names: readonly UsageName[]) => writeNames(hot.run, names),
  });
  const purge = createPurge(cold, "usage_names", "seen_at");

  return {
    note: createNameNotes(behind.put),

    async find(kind: NamedGroup, ids: readonly string[]): Promise<Map<string, string>> {
      await behind.tryFlush();
      const rows = await cold.read<{ id: string; name: string }>(FIND[kind], [
        JSON.stringify(ids.map(plain)),
      ]);
      return new Map(rows.map(({ id, name }) => [id, name]));
    },

    async purge(before: number): Promise<number> {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  };
}
