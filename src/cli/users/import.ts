import { Database, SQLiteError } from "bun:sqlite";
import { existsSync } from "node:fs";
import { z } from "zod";
import type { ImportResult, UserWithToken } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import type { Io } from "../io.ts";
import { toJson } from "./show.ts";
import type { UserCommand } from "./work.ts";

/** Empty ids and tokens pass here, as the import lists them one by one. */
const ReferenceRows = z.array(z.object({ user_id: z.string(), token: z.string() }));

/** Takes over the users of the reference server, with their ids and tokens: all or none. */
export function importUsers(path: string): UserCommand {
  const rows = readReferenceUsers(path);
  return async ({ users, audit, json, io }) => {
    const note = { actor: "cli", action: "user.import", detail: { users: rows.length } } as const;
    const { imported, already } = await audit.change(note, async () => {
      const result = await users.importAll(rows);
      refuse(result.conflicts, rows.length, io);
      return result;
    });
    const text = `imported ${imported} users, ${already} were here already\n`;
    io.out(json ? toJson({ imported, already }) : text);
  };
}

function refuse(conflicts: ImportResult["conflicts"], rows: number, io: Io): void {
  if (conflicts.length === 0) return;
  // The ids come from a file of unknown origin: quoted, they cannot play with the terminal.
  for (const { user_id, reason } of conflicts) io.err(`user ${JSON.stringify(user_id)} ${reason}\n`);
  throw new CommandError(`imported nothing: ${conflicts.length} of ${rows} users cannot be taken over`);
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
