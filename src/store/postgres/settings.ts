import { getTableColumns } from "drizzle-orm";
import { areSameSettings, type SettingStore, type StoredSetting } from "../setting-store.ts";
import type { Pools } from "./pools.ts";
import { insertInto, rowsOf, selected } from "./rows.ts";
import { settings } from "./schema.ts";

const COLUMNS = getTableColumns(settings);

/** Any number, the same in every version. It is a lock of one database only. */
const LOCK = 0x53657474;

/** In the order of SQLite, whatever that of the database is. */
const LIST = `SELECT ${selected(COLUMNS)} FROM settings ORDER BY name COLLATE "C"`;
const DELETE = "DELETE FROM settings WHERE name IN (SELECT json_array_elements_text($1::text::json))";
const INSERT = insertInto(settings, Object.keys(COLUMNS));

export function createSettingStore({ hot }: Pools, now: () => number): SettingStore {
  return {
    list: () => hot.read<StoredSetting>(LIST),

    change: (changes, known) =>
      hot.transact(async (run) => {
        // Servers that change settings at the same time would otherwise not see each other's changes.
        await run("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
        if (!areSameSettings(await run<StoredSetting>(LIST), known)) return false;
        const changedAt = now();
        await run(DELETE, [JSON.stringify(changes.map(({ name }) => name))]);
        const set = changes.filter(({ value }) => value !== null);
        await run(INSERT, [
          rowsOf(
            settings,
            set.map((change) => ({ ...change, changedAt })),
          ),
        ]);
        return run<StoredSetting>(LIST);
      }),
  };
}
