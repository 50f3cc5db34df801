import { describeConfig, describeSettings, readConfig } from "../config/read.ts";
import type { Command } from "./io.ts";
import { table } from "./text-table.ts";
import { PROGRAM } from "./version.ts";

/** Prints every setting with its source; takes the flags of the server, and has its faults. */
export const config: Command = async (args, io) => {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const json = args.slice(0, end).includes("--json");
  const settingArgs = args.filter((arg, index) => arg !== "--json" || index > end);
  const { config, warnings, origins } = readConfig({ args: settingArgs, env: io.env });
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);

  const rows = describeConfig(config);
  if (json) {
    const described = Object.entries(describeSettings(config, origins));
    const entries = described.map(([name, { value, from }]) => [name, { value, from }]);
    io.out(`${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
  } else io.out(table(rows.map(({ name, label, shown }) => [label, shown, origins[name]])));
  return 0;
};
