import { describeSettings } from "../config/settings.ts";
import { readServerArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { createKeptAdminKey } from "./serve/admin-key.ts";
import { table } from "./terminal/text-table.ts";
import { type Command, toJson } from "./terminal.ts";
import { PROGRAM } from "./version.ts";

/** Prints every setting and where it comes from. Reads the server's arguments, and refuses what it refuses. */
export const config: Command = async (args, io) => {
  const { config, warnings, origins, flags } = readServerArgs(
    { args, env: io.env },
    { flags: COMMANDS.config.flags, keptAdminKey: createKeptAdminKey({}).read },
  );
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);
  const described = Object.entries(describeSettings(config, origins));
  if (flags.json)
    io.out(toJson(Object.fromEntries(described.map(([name, { value, from }]) => [name, { value, from }]))));
  else io.out(table(described.map(([, { label, value, from }]) => [label, value, from])));
  return 0;
};
