import { restoreBackup } from "../backup/restore.ts";
import { readSettings } from "../config/read.ts";
import type { Io } from "./io.ts";
import { takeSwitches } from "./switches.ts";
import { PROGRAM } from "./version.ts";

export async function restore(args: readonly string[], io: Io): Promise<number> {
  const { given, rest } = takeSwitches(args, ["--force"]);
  const { settings, positionals } = readSettings({ args: rest, env: io.env }, ["data", "sealKey"]);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) {
    io.err(`usage: ${PROGRAM} restore <file> [--data <folder>] [--force]\n`);
    return 2;
  }
  const { manifest, tokens, openedTokens, replaced } = await restoreBackup({
    ...{ ...settings, file, force: given["--force"] },
  });
  const { users, conversations, made_at } = manifest;
  io.out(`Restored ${users} users and ${conversations} conversations from ${made_at}.\n`);
  if (replaced !== undefined) io.out(`The replaced files are in ${replaced}\n`);
  if (openedTokens < tokens)
    io.err(
      `${PROGRAM}: The seal key opens ${openedTokens} of ${tokens} tokens. The others work, but the list of users does not show them.\n`,
    );
  return 0;
}
