import { Database } from "bun:sqlite";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS } from "../../src/durations.ts";
import { Skipped } from "./scenario.ts";
import type { Workshop } from "./workshop.ts";

const USAGE_DAYS = 90;

export const tokenOf = (user: number) => `bench-token-${user}`;

let copies = 0;

/** Resolves with a copy of a data folder, which is made once for each name. */
export async function dataFor(
  workshop: Workshop,
  name: string,
  contents: { users: number; usageRows?: number },
): Promise<string> {
  const made = join(workshop.folder, name);
  if (!existsSync(made)) await makeData(workshop, name, contents);
  const copy = `${made}-${++copies}`;
  cpSync(made, copy, { recursive: true });
  return copy;
}

/**
 * Makes a data folder with users, whose tokens `tokenOf` returns, and rows of usage. The server makes the
 * schema. The rows are written directly, as it would take hours to make them by requests.
 */
export async function makeData(
  workshop: Workshop,
  name: string,
  { users, usageRows = 0 }: { users: number; usageRows?: number },
): Promise<string> {
  const data = join(workshop.folder, name);
  const server = await workshop.startOurs({ data });
  await server.stop("SIGTERM");
  const database = new Database(join(data, "server.db"));
  try {
    database.run("PRAGMA synchronous = OFF");
    addUsers(database, users);
    if (usageRows > 0) addUsage(database, usageRows, users);
  } finally {
    database.close();
  }
  return data;
}

function addUsers(database: Database, count: number): void {
  const user = database.prepare("INSERT INTO users (id, created_at) VALUES (?1, ?2)");
  const token = database.prepare(
    "INSERT INTO tokens (hash, user_id, sealed, created_at) VALUES (?1, ?2, ?3, ?4)",
  );
  // Only the administrator's list of users opens it, and the bench does not use the list.
  const sealed = new Uint8Array(64);
  const now = Date.now();
  database.transaction(() => {
    for (let index = 0; index < count; index++) {
      const id = `bench-user-${index}`;
      user.run(id, now);
      token.run(Bun.SHA256.hash(tokenOf(index), "hex"), id, sealed, now);
    }
  })();
  user.finalize();
  token.finalize();
}

/** Returns the value of each column, in SQL with the row's number `n`. */
function usageColumns(rows: number, users: number): Record<string, string> {
  const begin = Date.now() - USAGE_DAYS * DAY_MS;
  const stepMs = Math.floor((USAGE_DAYS * DAY_MS) / rows);
  return {
    at: `${begin} + n * ${stepMs}`,
    request_id: "'req_' || hex(randomblob(16))",
    user_id: `'bench-user-' || (n * 7919 % ${users})`,
    agent: "'agent-' || (n % 100)",
    model: "'bench'",
    surface: "'ask'",
    outcome: "'ok'",
    status: "200",
    tries: "1",
    queue_ms: "0",
    first_byte_ms: "300",
    duration_ms: "900",
    prompt_tokens: "120",
    completion_tokens: "240",
  };
}

function addUsage(database: Database, rows: number, users: number): void {
  const query = database.query<{ name: string; notnull: number; dflt_value: unknown; pk: number }, []>(
    "PRAGMA table_info(usage)",
  );
  const columns = query.all();
  query.finalize();
  if (columns.length === 0) throw new Skipped("The database has no table `usage`.");
  const values = usageColumns(rows, users);
  const missing = columns.filter(
    ({ name, notnull, dflt_value, pk }) => notnull && dflt_value === null && !pk && !(name in values),
  );
  if (missing.length > 0)
    throw new Skipped(`The bench has no value for the column usage.${missing.map(({ name }) => name)}`);
  const names = columns.map(({ name }) => name).filter((name) => name in values);
  database.run(
    `INSERT INTO usage (${names.map((name) => `"${name}"`).join(", ")})
     WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${rows})
     SELECT ${names.map((name) => values[name]).join(", ")} FROM numbers`,
  );
}
