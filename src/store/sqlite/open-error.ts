import { CommandError } from "../../errors.ts";
import { fileErrorText } from "../../system-error.ts";

/** The meaning of error codes of SQLite, and what to do, by how the code begins. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["SQLITE_NOTADB", "It is not a SQLite database. Move it away, or restore a backup."],
  ["SQLITE_CORRUPT", "It is damaged. Move it away, or restore a backup."],
  ["SQLITE_BUSY", "Another program keeps it locked. Stop that program first."],
  ["SQLITE_READONLY", "It cannot be written. Check the permissions of the file and its folder."],
  [
    "SQLITE_CANTOPEN",
    "It or a file beside it cannot be opened. Check the permissions of the file and its folder.",
  ],
  ["SQLITE_FULL", "The disk is full."],
  ["SQLITE_IOERR", "The disk cannot be read or written."],
];

/** Returns an error whose message says in one line why the database cannot be opened and what to do. */
export function openError(path: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  const known = MEANINGS.find(([prefix]) => code.startsWith(prefix))?.[1];
  return new CommandError(`Cannot open the database ${path}: ${known ?? fileErrorText(error)}`, {
    cause: error,
  });
}
