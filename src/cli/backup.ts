import { statSync } from "node:fs";
import { AUDITED_FLAG } from "../backup/process.ts";
import { writeBackup } from "../backup/write.ts";
import { readSettings } from "../config/read.ts";
import { AGENT_KEY_NAME } from "../data-folder.ts";
import type { Io } from "./io.ts";
import { takeSwitches } from "./switches.ts";
import { PROGRAM, VERSION } from "./version.ts";

export async function backup(args: readonly string[], io: Io): Promise<number> {
  const { given, rest } = takeSwitches(args, ["--force", AUDITED_FLAG]);
  const { settings, positionals } = readSettings({ args: rest, env: io.env }, ["data", "sealKey"]);
  const [file, ...more] = positionals;
  if (!file || more.length > 0) {
    io.err(`usage: ${PROGRAM} backup <file> [--data <folder>] [--force]\n`);
    return 2;
  }
  const { users, conversations, files, seal_key } = await writeBackup({
    ...{ ...settings, file, overwrite: given["--force"], isAudited: given[AUDITED_FLAG], program: VERSION },
  });
  const bytes = statSync(file).size;
  io.out(`Backed up ${users} users and ${conversations} conversations to ${file} (${bytes} bytes).\n`);
  const { data } = settings;
  if (seal_key === "not included")
    io.err(
      `${PROGRAM}: The key that encrypts the users' tokens is not in ${data}, so the backup does not have it. Keep CHATGPT_API_SEAL_KEY with the backup.\n`,
    );
  if (!files[AGENT_KEY_NAME])
    io.err(
      `${PROGRAM}: The agent key is not in ${data}, so the backup does not have it. Keep AGENT_KEY with the backup.\n`,
    );
  return 0;
}
