import { restoreBackup } from "../backup/restore.ts";
import { readArgs } from "./args.ts";
import { COMMANDS, usageOf } from "./commands.ts";
import { type Command, counted } from "./terminal.ts";
import { PROGRAM } from "./version.ts";

export const restore: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.restore);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) {
    io.err(usageOf("restore"));
    return 2;
  }
  const { data, sealKey } = settings;
  const restored = await restoreBackup({ file, data, sealKey, force: flags.force });
  const { manifest, tokens, openedTokens, replaced } = restored;
  const { users, conversations, made_at } = manifest;
  const what = `${counted(users, "user")} and ${counted(conversations, "conversation")}`;
  io.out(`Restored ${what} from ${made_at}.\n`);
  if (replaced !== undefined) io.out(`The replaced files are in ${replaced}\n`);
  if (openedTokens < tokens)
    io.err(
      `${PROGRAM}: The seal key opens ${openedTokens} of ${tokens} tokens. The others work, but the list of users does not show them.\n`,
    );
  return 0;
};
