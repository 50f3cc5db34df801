import { defaultText } from "../config/setting.ts";
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
import { table } from "./terminal/text-table.ts";
import type { Command } from "./terminal.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** All help texts are at most 100 characters wide. */
const LAYOUT = { indent: "  ", width: 100 };

const EXAMPLES = `  # Serve on port 8080, on every address of this machine.
  ${PROGRAM} 8080 "$ADMIN_KEY"

  # Serve this machine only, with the admin key in a file.
  ADMIN_KEY_FILE=/run/secrets/admin ${PROGRAM} --host 127.0.0.1

  # Install it as a service that starts with this machine. An agent is installed in the same way.
  sudo ${PROGRAM} serve install 8080
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
    usage.length > 1 ? `${name} <subcommand> [flags]` : usage[0]?.replace(/\S+(\|\S+){3,}/, "<program>"),
    summary,
  ]);
  return [
    `${PROGRAM} ${VERSION}: one OpenAI-, Anthropic- and Ollama-compatible API for your models\n`,
    EXAMPLES,
    `Commands\n${table(commands, LAYOUT)}`,
    `Run ${PROGRAM} help <command> for the subcommands and flags of one command.\n`,
    ...settingTables(SETTING_NAMES),
    ...secretTable(SETTING_NAMES.filter((name) => SETTINGS[name].secret)),
    endingOf(SETTING_NAMES),
  ].join("\n");
}

function helpOfOne(name: CommandName): string {
  const description: CommandDescription = COMMANDS[name];
  const { summary, usage, settings = [], settingHelp, flags = {}, service, note } = description;
  const names = settings === "all" ? SETTING_NAMES : settings;
  return [
    `${summary}\n`,
    [...usage, ...(service?.usage ?? [])].map((line) => `  ${PROGRAM} ${line}\n`).join(""),
    ...flagTables("Flags", flags),
    ...flagTables("As a service", service?.flags ?? {}),
    ...(note === undefined ? [] : [`${note}\n`]),
    ...(settings === "all" ? settingTables(names) : ownSettingTable(names, settingHelp)),
    ...secretTable(names.filter((name) => flagOf(name) === undefined)),
    ...(names.length > 0 ? [endingOf(names)] : []),
  ].join("\n");
}

function flagTables(title: string, flags: Flags): string[] {
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden);
  const rows = shown.map(([name, { value = "", help }]) => [`--${name} ${value}`.trimEnd(), help]);
  return titledTable(title, rows);
}

function settingTables(names: readonly SettingName[]): string[] {
  return Object.entries(SETTING_GROUPS).flatMap(([title, group]) => {
    const listed = group.filter((name) => names.includes(name));
    return titledTable(
      title,
      listed.flatMap((name) => settingRow(name)),
    );
  });
}

/** Returns the settings of a command with few of them, in the command's own order and words. */
function ownSettingTable(
  names: readonly SettingName[],
  settingHelp: CommandDescription["settingHelp"] = {},
): string[] {
  return titledTable(
    "Settings",
    names.flatMap((name) => settingRow(name, settingHelp[name])),
  );
}

/** Returns how these settings can be given in another way, and how their values are written. */
function endingOf(names: readonly SettingName[]): string {
  const settings = names.map((name) => SETTINGS[name]);
  const example = names.find((name) => flagOf(name) !== undefined && variablesOf(name).length === 1);
  const short = names.flatMap((name) => variablesOf(name).slice(1));
  const has = (value: string) => settings.some((setting) => setting.value === value);
  const sentences = [
    example &&
      `Settings can also be given in the environment: ${variablesOf(example)[0]} for ${flagOf(example)}${names.length > 1 ? ", and so on" : ""}.`,
    short.length > 0 && `${listed(short)} ${short.length > 1 ? "need" : "needs"} no prefix.`,
    settings.some(({ secret }) => secret) &&
      "To read a secret from a file, put the file's path in <NAME>_FILE.",
    "Flags win over the environment.",
    has("<time>") && "A time without a unit is in seconds.",
    has("<size>") && "A size without a unit is in bytes.",
  ];
  return table([[sentences.filter(Boolean).join(" ")]], { width: LAYOUT.width });
}

function listed(names: readonly string[]): string {
  const [last = "", ...others] = [...names].reverse();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}

function settingRow(name: SettingName, about?: string): string[][] {
  const { value, help, many } = SETTINGS[name];
  const flag = flagOf(name);
  const text = about ?? `${help}${many ? " May be repeated." : ""} (${defaultText(SETTINGS[name])})`;
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
