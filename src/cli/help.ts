import {
  flagOf,
  SETTING_GROUPS,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  variablesOf,
} from "../config/settings.ts";
import { usageError } from "../errors.ts";
import type { Flags } from "./args.ts";
import { COMMANDS, type CommandDescription, type CommandName, isCommand } from "./commands.ts";
import type { Command } from "./terminal.ts";
import { table } from "./text-table.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** All help texts are at most 100 characters wide. */
const LAYOUT = { indent: "  ", width: 100 };

const EXAMPLES = `  # Serve on port 8080, on every address of this machine.
  ${PROGRAM} 8080 "$ADMIN_KEY"

  # Serve this machine only, with the admin key in a file.
  ADMIN_KEY_FILE=/run/secrets/admin ${PROGRAM} --host 127.0.0.1
`;

const ENDING = `Each flag can also be set in the environment: CHATGPT_API_QUEUE_MAX for --queue-max, and so on.
PORT, ADMIN_KEY, AGENT_KEY and UPSTREAM_KEY need no prefix. To read a secret from a file, put the
file's path in <NAME>_FILE. Flags win over the environment. A time without a unit is in seconds,
and a size without a unit is in bytes.
`;

/** Prints the help of all commands, or of the one that is named. */
export const help: Command = async ([word, ...more], io) => {
  if (more.length > 0 || (word !== undefined && !isCommand(word)))
    throw usageError(`There is no such help. Name one of: ${Object.keys(COMMANDS).join(", ")}.`);
  io.out(word === undefined ? helpOfAll() : helpOfOne(word));
  return 0;
};

function helpOfAll(): string {
  const commands = Object.entries(COMMANDS).map(([name, { usage, summary }]) => [
    usage.length > 1 ? `${name} <subcommand> [flags]` : usage[0],
    summary,
  ]);
  return [
    `${PROGRAM} ${VERSION}: one HTTP API in front of every model session you can reach\n`,
    EXAMPLES,
    `Commands\n${table(commands, LAYOUT)}`,
    `Run ${PROGRAM} help <command> for the subcommands and flags of one command.\n`,
    ...settingTables(SETTING_NAMES),
    ...secretTable(SETTING_NAMES.filter((name) => SETTINGS[name].secret)),
    ENDING,
  ].join("\n");
}

function helpOfOne(name: CommandName): string {
  const { summary, usage, settings = [], settingHelp, flags = {}, note }: CommandDescription = COMMANDS[name];
  const names = settings === "all" ? SETTING_NAMES : settings;
  return [
    `${summary}\n`,
    usage.map((line) => `  ${PROGRAM} ${line}\n`).join(""),
    ...flagTables(flags),
    ...(note === undefined ? [] : [`${note}\n`]),
    ...settingTables(names, settingHelp),
    ...secretTable(names.filter((name) => flagOf(name) === undefined)),
    ...(names.length > 0 ? [ENDING] : []),
  ].join("\n");
}

function flagTables(flags: Flags): string[] {
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden);
  const rows = shown.map(([name, { value = "", help }]) => [`--${name} ${value}`.trimEnd(), help]);
  return titledTable("Flags", rows);
}

function settingTables(names: readonly SettingName[], settingHelp: CommandDescription["settingHelp"] = {}) {
  return Object.entries(SETTING_GROUPS).flatMap(([title, group]) => {
    const listed = group.filter((name) => names.includes(name));
    const rows = listed.flatMap((name) => settingRow(name, settingHelp[name]));
    return titledTable(title, rows);
  });
}

function settingRow(name: SettingName, about?: string): string[][] {
  const { value, help, default: byDefault, absent, many } = SETTINGS[name];
  const flag = flagOf(name);
  const text = about ?? `${help}${many ? " May be repeated." : ""} (${byDefault ?? absent})`;
  return flag === undefined ? [] : [[`${flag} ${value}`.trimEnd(), text]];
}

function secretTable(names: readonly SettingName[]): string[] {
  const rows = names.map((name) => [variablesOf(name).at(-1) ?? "", SETTINGS[name].help]);
  return titledTable("Secrets in the environment", rows);
}

/** Returns no table if it would have no rows. */
function titledTable(title: string, rows: string[][]): string[] {
  return rows.length > 0 ? [`${title}\n${table(rows, LAYOUT)}`] : [];
}
