import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { CommandError } from "../../../src/errors.ts";
import { checkVersion, MIGRATIONS, type Migration, migrate } from "../../../src/store/sqlite/migrations.ts";
import * as schema from "../../../src/store/sqlite/schema.ts";
import { failureOf, openTestFile, tempFolder } from "../../support/store.ts";

const DRIZZLE = join(import.meta.dir, "../../../drizzle/sqlite");

function migrated(migrations?: readonly Migration[]): Database {
  const database = new Database(":memory:");
  migrate(database, migrations);
  return database;
}

const all = <Row>(database: Database, sql: string) => database.query<Row, []>(sql).all();
const version = (database: Database) => database.query("PRAGMA user_version").values()[0]?.[0];
const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);

test("every migration in the folder is embedded, in order and unchanged", () => {
  const files = readdirSync(DRIZZLE).filter((name) => name.endsWith(".sql"));
  expect(files.length).toBeGreaterThan(0);
  const contents = files.sort().map((name) => ({ name, sql: readFileSync(join(DRIZZLE, name), "utf8") }));
  expect(MIGRATIONS).toEqual(contents);
});

describe("a migrated database", () => {
  const database = migrated();
  const tables = Object.values(schema).map(getTableConfig);

  test("a migrated database has the tables of the schema", () => {
    const found = all<{ name: string }>(
      database,
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    expect(found.sort(byName)).toEqual(tables.map(({ name }) => ({ name })).sort(byName));
  });

  for (const table of tables) {
    test(`the migrated table ${table.name} has the columns of the schema`, () => {
      const found = all<{ name: string; type: string; notnull: number; pk: number; dflt_value: unknown }>(
        database,
        `PRAGMA table_info(${table.name})`,
      ).map(({ name, type, notnull, pk, dflt_value }) => [name, type.toLowerCase(), notnull, pk, dflt_value]);
      // A primary key of several columns numbers them.
      const [keys = { columns: [] }] = table.primaryKeys;
      const placeOf = (name: string) => keys.columns.findIndex((column) => column.name === name) + 1;
      const wanted = table.columns.map((column) => [
        column.name,
        column.getSQLType(),
        Number(column.notNull),
        column.primary ? 1 : placeOf(column.name),
        column.default === undefined ? null : String(column.default),
      ]);
      expect(found).toEqual(wanted);
    });

    test(`the migrated table ${table.name} has the indexes of the schema`, () => {
      const found = all<{ name: string; unique: number; origin: string }>(
        database,
        `PRAGMA index_list(${table.name})`,
      )
        .filter(({ origin }) => origin !== "pk")
        .map(({ name, unique }) => ({
          name,
          unique: unique === 1,
          columns: all<{ name: string }>(database, `PRAGMA index_info(${name})`).map((column) => column.name),
        }));
      const wanted = [
        ...table.indexes.map(({ config }) => ({
          name: config.name,
          unique: config.unique,
          columns: config.columns.map((column) => (column as { name: string }).name),
        })),
        ...table.columns
          .filter(({ isUnique }) => isUnique)
          .map(({ name, uniqueName }) => ({ name: uniqueName ?? "", unique: true, columns: [name] })),
        ...table.uniqueConstraints.map(({ name, columns }) => ({
          name: name ?? "",
          unique: true,
          columns: columns.map((column) => column.name),
        })),
      ];
      expect(found.sort(byName)).toEqual(wanted.sort(byName));
    });

    test(`the migrated table ${table.name} has the foreign keys of the schema`, () => {
      const found = all<{ from: string; table: string; to: string; on_delete: string }>(
        database,
        `PRAGMA foreign_key_list(${table.name})`,
      ).map(({ from, table, to, on_delete }) => [from, table, to, on_delete.toLowerCase()]);
      const wanted = table.foreignKeys.map((key) => {
        const { columns, foreignTable, foreignColumns } = key.reference();
        return [columns[0]?.name, getTableConfig(foreignTable).name, foreignColumns[0]?.name, key.onDelete];
      });
      expect(found).toEqual(wanted as typeof found);
    });
  }
});

test("users and agent keys of an earlier version keep their data, and have no preferences", async () => {
  const path = join(tempFolder(), "server.db");
  const before = new Database(path, { create: true });
  migrate(before, MIGRATIONS.slice(0, 6));
  before.run("INSERT INTO users (id, created_at, name, models) VALUES ('ann', 7, 'Ann', '[\"llama\"]')");
  before.run("INSERT INTO tokens (hash, user_id, sealed, created_at) VALUES ('hash', 'ann', x'00', 7)");
  before.run(
    "INSERT INTO agent_keys (id, name, hash, models, created_at) VALUES ('k', 'box', 'h', '[\"m\"]', 8)",
  );
  before.close();
  const { users, agentKeys } = openTestFile(path);
  expect(await users.list()).toMatchObject([
    { id: "ann", name: "Ann", models: ["llama"], createdAt: 7, priority: null, agentTags: null },
  ]);
  expect(await agentKeys.list()).toEqual([
    {
      ...{ id: "k", name: "box", models: ["m"], createdAt: 8, revokedAt: null },
      ...{ priority: null, weight: null, tags: null, ownerId: null, showsName: false },
    },
  ]);
  expect(await agentKeys.change("k", { ownerId: "ann", tags: ["home"] })).toBe(true);
  await users.delete("ann");
  expect(await agentKeys.list()).toMatchObject([{ id: "k", ownerId: null, tags: ["home"] }]);
});

describe("migrating", () => {
  const one = {
    name: "1",
    sql: "CREATE TABLE a (id INTEGER PRIMARY KEY);\nCREATE TABLE b (a REFERENCES a(id) ON DELETE CASCADE);",
  };
  const two = { name: "2", sql: "ALTER TABLE a ADD COLUMN name TEXT;" };

  test("only missing migrations are applied, and counted in user_version", () => {
    const database = migrated([one]);
    expect(version(database)).toBe(1);
    database.run("INSERT INTO a VALUES (7)");
    migrate(database, [one, two]);
    migrate(database, [one, two]);
    expect(version(database)).toBe(2);
    expect(all<object>(database, "SELECT * FROM a")).toEqual([{ id: 7, name: null }]);
  });

  test("a migration that fails is undone as a whole, and the ones before it stay", async () => {
    const database = new Database(":memory:");
    const broken = { name: "2", sql: "CREATE TABLE half (x);\nCREATE TABLE a (y);" };
    await failureOf(() => migrate(database, [one, broken]));
    expect(version(database)).toBe(1);
    expect(all<{ name: string }>(database, "SELECT name FROM sqlite_schema").map(({ name }) => name)).toEqual(
      ["a", "b"],
    );
  });

  test("rebuilding a table does not delete the rows that refer to it", () => {
    const database = migrated([one]);
    database.run("INSERT INTO a VALUES (7)");
    database.run("INSERT INTO b VALUES (7)");
    const rebuild = {
      name: "2",
      sql: "CREATE TABLE new_a (id INTEGER PRIMARY KEY, name TEXT);\nINSERT INTO new_a (id) SELECT id FROM a;\nDROP TABLE a;\nALTER TABLE new_a RENAME TO a;",
    };
    migrate(database, [one, rebuild]);
    expect(all<object>(database, "SELECT * FROM b")).toEqual([{ a: 7 }]);
    expect(database.query("PRAGMA foreign_keys").values()).toEqual([[1]]);
  });

  test("a migration that leaves rows with broken references is refused", async () => {
    const database = migrated([one]);
    database.run("INSERT INTO a VALUES (7)");
    database.run("INSERT INTO b VALUES (7)");
    const error = await failureOf(() =>
      migrate(database, [one, { name: "2_bad.sql", sql: "DELETE FROM a;" }]),
    );
    expect(String(error)).toContain("2_bad.sql leaves 1 rows");
    expect(all<object>(database, "SELECT * FROM a")).toEqual([{ id: 7 }]);
  });
});

describe("a refused database", () => {
  const refusal = async (database: Database) => {
    const before = database.serialize();
    const error = await failureOf(() => checkVersion(database));
    expect(error).toBeInstanceOf(CommandError);
    expect(database.serialize()).toEqual(before);
    return String(error);
  };

  test("a database newer than the program is refused and not changed", async () => {
    const database = migrated();
    database.run(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    expect(await refusal(database)).toContain("A newer version of this program wrote the database");
  });

  test("a database of another program is refused and not changed, with or without tables", async () => {
    const withTables = new Database(":memory:");
    withTables.run("CREATE TABLE users (name)");
    expect(await refusal(withTables)).toContain("belongs to another program");
    const withVersion = new Database(":memory:");
    withVersion.run("PRAGMA user_version = 1");
    expect(await refusal(withVersion)).toContain("belongs to another program");
  });
});
