import { asc, eq, sql } from "drizzle-orm";
import { areSameSettings, type SettingStore } from "../setting-store.ts";
import type { Connection } from "./database.ts";
import { settings } from "./schema.ts";

export function createSettingStore({ orm, raw, write }: Connection, now: () => number): SettingStore {
  const list = orm.select().from(settings).orderBy(asc(settings.name)).prepare();
  const remove = orm
    .delete(settings)
    .where(eq(settings.name, sql.placeholder("name")))
    .prepare();
  const set = raw.prepare<unknown, [string, string, number]>(
    `INSERT INTO settings (name, value, changed_at) VALUES (?1, ?2, ?3)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`,
  );
  return {
    list: async () => list.all(),

    change: (changes, known) =>
      write(() => {
        if (!areSameSettings(list.all(), known)) return false;
        const changedAt = now();
        for (const { name, value } of changes) {
          if (value === null) remove.run({ name });
          else set.run(name, value, changedAt);
        }
        return list.all();
      }),
  };
}
