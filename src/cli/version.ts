import { version as current } from "../../package.json";
import type { Command } from "./terminal.ts";

export const PROGRAM = "chatgpt-api-server";
export const VERSION: string = current;

/** Prints the version; with `--data`, also whether it can use the data in that folder. */
export const version: Command = async (args, io) => {
  io.out(`${PROGRAM} ${VERSION}\n`);
  if (args.length === 0) return 0;
  const { readArgs } = await import("./args.ts");
  const { COMMANDS } = await import("./commands.ts");
  const { flags } = readArgs({ args, env: {} }, { settings: [], flags: COMMANDS.version.flags });
  if (flags.data === undefined) return 0;
  const { databaseIn } = await import("../data-folder.ts");
  const { readDataVersion } = await import("../backup/data-version.ts");
  const verdict = readDataVersion(databaseIn(flags.data));
  io.out(`data: ${verdict}\n`);
  return verdict === "newer" || verdict === "foreign" ? 1 : 0;
};
