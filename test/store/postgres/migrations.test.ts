import { expect, onTestFinished, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableConfig as pgTableOf } from "drizzle-orm/pg-core";
import { getTableConfig as sqliteTableOf } from "drizzle-orm/sqlite-core";
import { CommandError } from "../../../src/errors.ts";
import { MIGRATIONS, migrate } from "../../../src/store/postgres/migrations.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { createPool } from "../../../src/store/postgres/pool.ts";
import * as schema from "../../../src/store/postgres/schema.ts";
import * as sqliteSchema from "../../../src/store/sqlite/schema.ts";
import { describeWithPostgres, newDatabase, statementsOn } from "../../support/postgres.ts";
import { failureOf } from "../../support/store.ts";

const DRIZZLE = join(import.meta.dir, "../../../drizzle/postgres");

function poolOf(url: string) {
  const pool = createPool({ url, connections: 1, withinMs: 60_000, name: "the test" });
  onTestFinished(pool.close);
  return pool;
}

test("every migration for PostgreSQL is embedded, in order and unchanged, and names no schema", () => {
  const names = readdirSync(DRIZZLE).filter((name) => name.endsWith(".sql"));
  const contents = names.sort().map((name) => ({ name, sql: readFileSync(join(DRIZZLE, name), "utf8") }));
  expect(MIGRATIONS.map(({ name, sql }) => ({ name, sql }))).toEqual(contents);
  // The operator may use another one than `public`.
  for (const { sql } of contents) expect(sql).not.toContain('"public"');
});

test("both kinds of database have the same tables and columns, but for those that only one needs", () => {
  const columns = (tables: { name: string; columns: { name: string }[] }[]) =>
    tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`)).sort();
  const postgres = columns(Object.values(schema).map((table) => pgTableOf(table)));
  const sqlite = columns(Object.values(sqliteSchema).map((table) => sqliteTableOf(table)));
  const only = (some: string[], others: string[]) => some.filter((name) => !others.includes(name));
  const ownTable = ["server.readable_from", "server.version"];
  expect(only(postgres, sqlite)).toEqual([
    "agent_keys.seq",
    "pairings.seq",
    ...ownTable,
    "sessions.seq",
    "usage.id",
  ]);
  expect(only(sqlite, postgres)).toEqual(["usage.seq"]);
});

describeWithPostgres("migrating a PostgreSQL database", () => {
  test("the migrated tables have the columns of the schema", async () => {
    const url = await newDatabase();
    expect(await migrate(poolOf(url))).toBe(true);
    const found = await statementsOn(url)(
      `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS text
       FROM information_schema.columns WHERE table_schema = 'public'`,
    );
    const wanted = Object.values(schema).flatMap((table) => {
      const { name, columns } = pgTableOf(table);
      return columns.map(
        (column) => `${name}.${column.name} ${column.getSQLType()} ${column.notNull ? "NO" : "YES"}`,
      );
    });
    expect(found.map(({ text }) => text).sort()).toEqual(wanted.sort());
  });

  test("servers that start at the same time on an empty database all use it, and one finds it empty", async () => {
    const url = await newDatabase();
    const opened = await Promise.all(Array.from({ length: 4 }, () => openPostgres({ url })));
    for (const { store } of opened) onTestFinished(() => store.close());
    expect(opened.filter(({ isNew }) => isNew)).toHaveLength(1);
    const [{ store } = {}, ...others] = opened;
    await store?.users.add([{ id: "ann", tokenHash: "h", sealedToken: Buffer.of(1) }]);
    for (const { store } of others) expect((await store.users.findByTokenHash("h"))?.id).toBe("ann");
  });

  test("a program uses a database of a later version if it can, and refuses it if not", async () => {
    const url = await newDatabase();
    const one = { name: "1", sql: MIGRATIONS[0]?.sql ?? "", readableFrom: 1 };
    const two = { name: "2", sql: "ALTER TABLE users ADD COLUMN added text", readableFrom: 1 };
    const three = { name: "3", sql: "ALTER TABLE users DROP COLUMN added", readableFrom: 2 };
    expect(await migrate(poolOf(url), [one, two])).toBe(true);
    expect(await migrate(poolOf(url), [one])).toBe(false);
    expect(await migrate(poolOf(url), [one, two, three])).toBe(false);
    const refusal = await failureOf(() => migrate(poolOf(url), [one]));
    expect(refusal).toBeInstanceOf(CommandError);
    expect(String(refusal)).toContain("A newer version of this program has changed the database");
    expect(await statementsOn(url)("SELECT * FROM server")).toEqual([{ version: "3", readable_from: "2" }]);
  });

  test("a migration that fails is undone as a whole", async () => {
    const url = await newDatabase();
    const broken = {
      name: "2",
      sql: "CREATE TABLE half (x int);--> statement-breakpoint\nNONSENSE",
      readableFrom: 1,
    };
    const one = { name: "1", sql: MIGRATIONS[0]?.sql ?? "", readableFrom: 1 };
    await failureOf(() => migrate(poolOf(url), [one, broken]));
    const query = statementsOn(url);
    expect(await query("SELECT version FROM server")).toEqual([{ version: "1" }]);
    expect(await query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
  });

  test("a database with tables of another program is refused and not changed", async () => {
    const url = await newDatabase();
    const query = statementsOn(url);
    await query("CREATE TABLE users (name text)");
    const refusal = await failureOf(() => openPostgres({ url }));
    expect(refusal).toBeInstanceOf(CommandError);
    expect(String(refusal)).toContain("has tables of another program");
    expect(await query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([
      { tablename: "users" },
    ]);
  });

  test("a database that cannot be reached is refused in one line without the password", async () => {
    const refusal = await failureOf(() =>
      openPostgres({ url: "postgres://someone:secret-word@127.0.0.1:1/nowhere" }),
    );
    expect(refusal).toBeInstanceOf(CommandError);
    expect(String(refusal)).toContain("Cannot use the database nowhere at 127.0.0.1:1: ");
    expect(String(refusal)).not.toMatch(/secret-word|\n/);
  });
});
