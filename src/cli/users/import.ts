import { Database, SQLiteError } from "bun:sqlite";
import { existsSync } from "node:fs";
import { z } from "zod";
import type { ImportResult, UserWithToken } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import { counted, type Terminal } from "../terminal.ts";
import { toJson } from "./show.ts";
import type { UserCommand } from "./user-command.ts";

/** Accepts empty ids and tokens, which the import lists one by one. */
const ReferenceRows = z.array(z.object({ user_id: z.string(), token: z.string() }));

/** Imports the users of the reference server, with their ids and tokens: all of them, or none. */
export function importUsers(path: string): UserCommand {
  const rows = readReferenceUsers(path);
  return async ({ users, audit, json, io }) => {
    const note = { actor: "cli", action: "user.import", detail: { users: rows.length } } as const;
    const { imported, already } = await audit.change(note, async () => {
      const result = await users.importAll(rows);
      refuse(result.conflicts, rows.length, io);
      return result;
    });
    const text = `Imported ${counted(imported, "user")}; ${already} existed already.\n`;
    io.out(json ? toJson({ imported, already }) : text);
  };
}

function refuse(conflicts: ImportResult["conflicts"], rows: number, io: Terminal): void {
  if (conflicts.length === 0) return;
  // The ids come from a file of unknown origin. Quoted, they cannot garble the terminal.
  for (const { user_id, reason } of conflicts) io.err(`The user ${JSON.stringify(user_id)} ${reason}.\n`);
  throw new CommandError(`Imported no users: ${conflicts.length} of ${rows} cannot be imported.`);
}

/** Returns the users in the order in which they were added there. */
function readReferenceUsers(path: string): UserWithToken[] {
  const refuse = (reason: string, cause?: unknown) =>
    new CommandError(`Cannot import ${path}: ${reason}`, { cause });
  if (!existsSync(path)) throw refuse("The file does not exist.");
  try {
    const database = new Database(path, { readonly: true });
    try {
      return ReferenceRows.parse(database.query("SELECT user_id, token FROM tokens ORDER BY rowid").all());
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof z.ZodError)
      throw refuse("Some of its users have an id or a token that is not text.", error);
    if (error instanceof SQLiteError && error.code === "SQLITE_ERROR")
      throw refuse("It has no table `tokens` with the columns `user_id` and `token`.", error);
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}
