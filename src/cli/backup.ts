import { existsSync, statSync } from "node:fs";
import type { Manifest } from "../backup/format.ts";
import { restoreBackup } from "../backup/restore.ts";
import { writeBackup } from "../backup/write.ts";
import { database } from "../config/service-addresses.ts";
import { AGENT_KEY_NAME, adminKeyIn, agentKeyIn, existingDatabaseIn, sealKeyIn } from "../data-folder.ts";
import { usageError } from "../errors.ts";
import { shellQuote } from "../shell-quote.ts";
import { openStore } from "../store/sqlite/open.ts";
import { readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, counted } from "./terminal.ts";
import { PROGRAM, VERSION } from "./version.ts";

export const backup: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.backup);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) throw usageError("Give one argument: the file to write the backup to.");
  refuseDatabase(settings, "Back it up with pg_dump.");
  const { force: overwrite, audited: isAudited } = flags;
  const manifest = await writeBackup({ ...settings, file, overwrite, isAudited, program: VERSION });
  io.out(`Backed up ${contentsOf(manifest)} to ${file} (${statSync(file).size} bytes).\n`);
  const warnMissing = (key: string, variable: string) =>
    io.err(
      `${PROGRAM}: ${key} is not in ${settings.data}, so the backup does not have it. Keep ${variable} with the backup.\n`,
    );
  if (manifest.seal_key === "not included")
    warnMissing("The key that encrypts the users' tokens", "CHATGPT_API_SEAL_KEY");
  if (!manifest.files[AGENT_KEY_NAME]) warnMissing("The agent key", "AGENT_KEY");
  return 0;
};

export const restore: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.restore);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) throw usageError("Give one argument: the file of the backup.");
  refuseDatabase(settings, "Restore it with psql or pg_restore.");
  const restored = await restoreBackup({ ...settings, file, force: flags.force });
  const { manifest, tokens, openedTokens, replaced } = restored;
  io.out(`Restored ${contentsOf(manifest)} from ${manifest.made_at}.\n`);
  if (replaced !== undefined) io.out(`The replaced files are in ${replaced}\n`);
  if (openedTokens < tokens)
    io.err(
      `${PROGRAM}: The seal key opens ${openedTokens} of ${tokens} tokens. The others work, but the list of users does not show them.\n`,
    );
  return 0;
};

/** A server's own copy of a database that has tools for that would be worse. */
function refuseDatabase({ database }: { database: string | undefined }, advice: string): void {
  if (database !== undefined)
    throw usageError(`The data is in the PostgreSQL database that --database names. ${advice}`);
}

function contentsOf({ users, conversations }: Manifest): string {
  return `${counted(users, "user")} and ${counted(conversations, "conversation")}`;
}

/** Copies the data folder of a stopped server into an empty PostgreSQL database. */
export const move: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.move);
  if (positionals.length > 0) throw usageError("Give no argument after move.");
  const { data } = settings;
  const to = flags.to === undefined ? settings.database : readDatabase(flags.to);
  if (to === undefined)
    throw usageError("Name the database with --to, such as --to postgres://user:password@host:5432/chat.");
  const path = existingDatabaseIn(data);
  // Migrates the file, and holds the lock of a server, so that none changes it.
  await using _held = openStore({ path, isServer: true });
  const { moveTo } = await import("../store/postgres/move.ts");
  const counts = await moveTo(to, path);
  const of = (table: string) => counts[table] ?? 0;
  io.out(
    `Moved ${counted(of("users"), "user")}, ${counted(of("agent_keys"), "agent key")}, ${counted(of("conversations"), "conversation")} and ${counted(of("usage"), "usage row")}. The data folder is unchanged.\n`,
  );
  const files = [sealKeyIn(data), agentKeyIn(data)].filter(existsSync);
  if (files.length > 0)
    io.out(
      `The keys are not in the database. Keep ${files.join(" and ")}: each server needs them in its own data folder, or in CHATGPT_API_SEAL_KEY_FILE and CHATGPT_API_AGENT_KEY_FILE.\n`,
    );
  const adminKey = adminKeyIn(data);
  if (existsSync(adminKey))
    io.out(
      `With --database no admin key is read from a data folder: set ADMIN_KEY_FILE=${shellQuote(adminKey)}.\n`,
    );
  return 0;
};

function readDatabase(text: string): string {
  const { data, error } = database.schema.safeParse(text);
  if (data === undefined) throw usageError(`--to is not valid. ${error?.issues[0]?.message}`);
  return data;
}
