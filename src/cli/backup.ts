import { statSync } from "node:fs";
import type { Manifest } from "../backup/format.ts";
import { restoreBackup } from "../backup/restore.ts";
import { writeBackup } from "../backup/write.ts";
import { AGENT_KEY_NAME } from "../data-folder.ts";
import { usageError } from "../errors.ts";
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
  refuseDatabase(settings, "Restore it with pg_restore.");
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
