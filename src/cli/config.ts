import { describeConfig, describeSettings } from "../config/describe.ts";
import { readServerArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import type { Command } from "./terminal.ts";
import { table } from "./text-table.ts";
import { PROGRAM } from "./version.ts";

/**
 * Prints every setting and where it comes from. Takes the server's arguments, and refuses what the server
 * refuses.
 */
export const config: Command = async (args, io) => {
  const { config, warnings, origins, flags } = readServerArgs({ args, env: io.env }, COMMANDS.config.flags);
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);
  if (flags.json) {
    const described = Object.entries(describeSettings(config, origins));
    const entries = described.map(([name, { value, from }]) => [name, { value, from }]);
    io.out(`${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
  } else io.out(table(describeConfig(config).map(({ name, label, shown }) => [label, shown, origins[name]])));
  return 0;
};
