import { Database, SQLiteError } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { loadSeal } from "../auth/seal.ts";
import { createUsers, type ImportResult, type UserWithToken } from "../auth/users.ts";
import { readSettings } from "../config.ts";
import { AppError, CommandError } from "../errors.ts";
import { openStore } from "../store/sqlite/open.ts";
import type { Io } from "./io.ts";

const USAGE = "usage: chatgpt-api-server users import <auth.db> [--data <folder>]";

/** Empty ids and tokens pass here, as the import lists them one by one. */
const ReferenceRows = z.array(z.object({ user_id: z.string(), token: z.string() }));

/**
 * `users import <auth.db>` takes over the users of the reference server, with their ids and tokens: all or
 * none. May run while the server does.
 */
export async function users(args: readonly string[], io: Io): Promise<number> {
  const { settings, positionals } = readSettings({ args, env: io.env }, ["data", "sealKey"]);
  const [subcommand, source, ...more] = positionals;
  if (subcommand !== "import" || !source || more.length > 0) {
    io.err(`${USAGE}\n`);
    return 2;
  }
  const rows = readReferenceUsers(source);
  const { imported, already, conflicts } = await importInto(settings, rows);
  if (conflicts.length === 0) {
    io.out(`imported ${imported} users, ${already} were here already\n`);
    return 0;
  }
  // The ids come from a file of unknown origin: quoted, they cannot play with the terminal.
  for (const { user_id, reason } of conflicts) io.err(`user ${JSON.stringify(user_id)} ${reason}\n`);
  throw new CommandError(
    `imported nothing: ${conflicts.length} of ${rows.length} users cannot be taken over`,
  );
}

async function importInto(
  { data, sealKey }: { data: string; sealKey: string | undefined },
  rows: readonly UserWithToken[],
): Promise<ImportResult> {
  const store = openStore({ path: join(data, "server.db") });
  try {
    const seal = loadSeal({ sealKey, path: join(data, "seal.key") });
    return await createUsers({ users: store.users, seal }).importAll(rows);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new CommandError(`imported nothing: ${reason}`, { cause: error });
  } finally {
    await store.close();
  }
}

/** In the order in which they were added there. */
function readReferenceUsers(path: string): UserWithToken[] {
  const refuse = (reason: string, cause?: unknown) =>
    new CommandError(`cannot import ${path}: ${reason}`, { cause });
  if (!existsSync(path)) throw refuse("there is no such file");
  try {
    const database = new Database(path, { readonly: true });
    try {
      return ReferenceRows.parse(database.query("SELECT user_id, token FROM tokens ORDER BY rowid").all());
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof z.ZodError) throw refuse("it has users whose id or token is no text", error);
    if (error instanceof SQLiteError && error.code === "SQLITE_ERROR")
      throw refuse("it has no table tokens with user_id and token", error);
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}
