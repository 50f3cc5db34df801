import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { MIGRATIONS, migrate } from "../../../src/store/sqlite/migrations.ts";
import { checkOwnSchema } from "../../../src/store/sqlite/own-schema.ts";

function databaseOf(version = MIGRATIONS.length): Database {
  const database = new Database(":memory:");
  onTestFinished(() => database.close());
  if (version > 0) migrate(database, MIGRATIONS.slice(0, version));
  return database;
}

test("the schema of each version is our own, also after SQLite has added its statistics", () => {
  for (let version = 0; version <= MIGRATIONS.length; version++) {
    const database = databaseOf(version);
    database.run("ANALYZE");
    expect(() => checkOwnSchema(database), `version ${version}`).not.toThrow();
  }
});

test.each([
  ["CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM users; END", 'a trigger "t"'],
  ["CREATE VIEW v AS SELECT 1", 'a view "v"'],
  ["CREATE TABLE t (a)", 'a table "t"'],
  ["CREATE INDEX i ON users (abs(created_at))", 'an index "i"'],
  ["DROP INDEX audit_at; CREATE INDEX audit_at ON usage (at)", 'an index "audit_at"'],
  ["ALTER TABLE users ADD more TEXT", 'a table "users"'],
  ["DROP TABLE audit", 'lacks its table "audit"'],
])("the schema after %s is not our own", (sql, reason) => {
  const database = databaseOf();
  database.run(sql);
  expect(() => checkOwnSchema(database)).toThrow(reason);
});
