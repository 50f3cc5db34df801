import { createNameNotes, nameKey, type UsageName } from "../../names.ts";
import type { NamedGroup } from "../../store.ts";
import { createWriteBehind } from "../../write-behind.ts";
import type { Connection, SqliteBehindOptions } from "../database.ts";
import { createPurge } from "../upkeep/purge.ts";

/** Returns a function that writes a name. It must be called within `connection.write`. */
export function prepareNameWrite({ raw }: Connection) {
  const write = raw.prepare<never, [string, string, string, number]>(`
    INSERT INTO usage_names (kind, id, name, seen_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at`);
  return ({ kind, id, name, seenAt }: UsageName) => void write.run(kind, id, name, seenAt);
}

const FIND: Record<NamedGroup, string> = {
  agent: "SELECT id, name FROM usage_names WHERE kind = 'agent' AND id IN (SELECT value FROM json_each(?1))",
  user: `
    SELECT id, name FROM users WHERE name IS NOT NULL AND id IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT id, name FROM usage_names WHERE kind = 'user' AND id IN (SELECT value FROM json_each(?1))
      AND id NOT IN (SELECT id FROM users)`,
};

/** Keeps the names of the agents and users in the usage. */
export function createNames({ connection, onWritten, ...options }: SqliteBehindOptions) {
  const { raw } = connection;
  const writeOne = prepareNameWrite(connection);
  const behind = createWriteBehind(options, {
    noun: "names",
    keyOf: nameKey,
    async writeBatch(names: readonly UsageName[]) {
      await connection.write(() => names.forEach(writeOne), { durable: false });
      onWritten?.();
    },
  });
  const find = {
    agent: raw.prepare<{ id: string; name: string }, [string]>(FIND.agent),
    user: raw.prepare<{ id: string; name: string }, [string]>(FIND.user),
  };
  const purge = createPurge(connection, "usage_names", "seen_at");

  return {
    note: createNameNotes(behind.put),

    async find(kind: NamedGroup, ids: readonly string[]): Promise<Map<string, string>> {
      await behind.tryFlush();
      return new Map(find[kind].all(JSON.stringify(ids)).map(({ id, name }) => [id, name]));
    },

    async purge(before: number): Promise<number> {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  };
}
