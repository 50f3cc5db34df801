import { statSync } from "node:fs";
import { writeBackup } from "../backup/write.ts";
import { AGENT_KEY_NAME } from "../data-folder.ts";
import { readArgs } from "./args.ts";
import { COMMANDS, usageOf } from "./commands.ts";
import { type Command, counted } from "./terminal.ts";
import { PROGRAM, VERSION } from "./version.ts";

export const backup: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.backup);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) {
    io.err(usageOf("backup"));
    return 2;
  }
  const { data, sealKey } = settings;
  const { users, conversations, files, seal_key } = await writeBackup({
    data,
    sealKey,
    file,
    overwrite: flags.force,
    isAudited: flags.audited,
    program: VERSION,
  });
  const bytes = statSync(file).size;
  const what = `${counted(users, "user")} and ${counted(conversations, "conversation")}`;
  io.out(`Backed up ${what} to ${file} (${bytes} bytes).\n`);
  if (seal_key === "not included")
    io.err(
      `${PROGRAM}: The key that encrypts the users' tokens is not in ${data}, so the backup does not have it. Keep CHATGPT_API_SEAL_KEY with the backup.\n`,
    );
  if (!files[AGENT_KEY_NAME])
    io.err(
      `${PROGRAM}: The agent key is not in ${data}, so the backup does not have it. Keep AGENT_KEY with the backup.\n`,
    );
  return 0;
};
