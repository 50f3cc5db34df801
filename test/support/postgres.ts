import { describe, onTestFinished, test } from "bun:test";
import { SQL } from "bun";

/** A role there may create databases. `.ci/run` starts a server here if one is installed. */
const SERVER = process.env["TEST_DATABASE"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const ADVICE = `(skipped: install postgresql, and start it with trust for 127.0.0.1, or set TEST_DATABASE)`;
const CONNECT_MS = 2_000;

/** Whether tests can use PostgreSQL. */
export const isPostgresThere = await answers(SERVER);
let count = 0;

async function answers(url: string): Promise<boolean> {
  const sql = new SQL(url, { max: 1 });
  try {
    return await Promise.race([sql`SELECT 1`.then(() => true), Bun.sleep(CONNECT_MS).then(() => false)]);
  } catch {
    return false;
  } finally {
    void sql.close({ timeout: 0 }).catch(() => {});
  }
}

/** Defines tests that need PostgreSQL. Without a server they are skipped with one line. */
export function describeWithPostgres(title: string, tests: () => void): void {
  if (isPostgresThere) describe(title, tests);
  else test.skip(`${title} ${ADVICE}`, () => {});
}

/** Makes an empty database, which is dropped after the test, and returns its address. */
export async function newDatabase(): Promise<string> {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  return url;
}

/** Makes an empty database, and returns its address with a function that drops it. */
export async function createDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `chatgpt_api_test_${process.pid}_${Date.now().toString(36)}_${++count}`;
  await onServer(`CREATE DATABASE ${name}`);
  // No test pulls the plug, and waiting for the disk takes most of the time.
  await onServer(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onServer(statement: string): Promise<void> {
  await using sql = new SQL(SERVER, { max: 1 });
  await sql.unsafe(statement);
}

/** Returns a function that runs one statement in the database and returns its rows. */
export function statementsOn(url: string) {
  const sql = new SQL(url, { max: 1 });
  onTestFinished(() => sql.close({ timeout: 0 }));
  return async (statement: string): Promise<Record<string, unknown>[]> =>
    Array.from(await sql.unsafe(statement));
}
