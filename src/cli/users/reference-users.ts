import { Database, SQLiteError } from "bun:sqlite";
import { existsSync } from "node:fs";
import { z } from "zod";
import type { UserWithToken } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import { fileErrorText } from "../../system-error.ts";

/** Accepts empty ids and tokens, which the import lists one by one. */
const Rows = z.array(z.object({ user_id: z.string(), token: z.string() }));

/** Returns the users in a database of the reference server, in the order in which they were added there. */
export function readReferenceUsers(path: string): UserWithToken[] {
  const refuse = (reason: string, cause?: unknown) =>
    new CommandError(`Cannot import ${path}: ${reason}`, { cause });
  if (!existsSync(path)) throw refuse("The file does not exist.");
  try {
    using database = new Database(path, { readonly: true });
    return Rows.parse(database.query("SELECT user_id, token FROM tokens ORDER BY rowid").all());
  } catch (error) {
    if (error instanceof z.ZodError)
      throw refuse("Some of its users have an id or a token that is not text.", error);
    if (error instanceof SQLiteError && error.code === "SQLITE_ERROR")
      throw refuse("It has no table `tokens` with the columns `user_id` and `token`.", error);
    if (error instanceof SQLiteError && error.code === "SQLITE_NOTADB")
      throw refuse("It is not a SQLite database. Name the reference server's auth.db.", error);
    throw refuse(fileErrorText(error), error);
  }
}
