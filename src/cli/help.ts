import { flagOf, SETTING_NAMES, SETTINGS, type SettingName, variablesOf } from "../config/read.ts";
import { CommandError } from "../errors.ts";
import { COMMANDS, type CommandEntry, type CommandName, isCommand } from "./commands.ts";
import type { Command } from "./io.ts";
import { table } from "./text-table.ts";
import { PROGRAM, VERSION } from "./version.ts";

const GROUPS: Record<string, readonly SettingName[]> = {
  "Where it listens, and its data": [
    "port",
    "host",
    "tlsCert",
    "tlsKey",
    "trustProxy",
    "allowedHosts",
    "data",
    "logLevel",
    "logFormat",
    "metricsKey",
    "sessionMs",
  ],
  Agents: [
    "agentKey",
    "agents",
    "agentOrigins",
    "v1Model",
    "modelAliases",
    "helloWithinMs",
    "pingEveryMs",
    "pongWithinMs",
  ],
  "The built-in agent": ["upstream", "upstreamKey", "models", "endpoints", "slots", "name", "echo"],
  Asks: [
    "queueMax",
    "queueUserMax",
    "queueWaitMs",
    "reconnectGraceMs",
    "firstByteMs",
    "wholeAnswerMs",
    "betweenDeltasMs",
    "drainMs",
  ],
  Limits: [
    "conversationDays",
    "conversationLengthMax",
    "usageDays",
    "auditDays",
    "bodyBytesMax",
    "bodyWithinMs",
    "frameBytesMax",
    "addressRequestsMax",
    "agentsMax",
    "keyFailuresMax",
  ],
};

const LAYOUT = { indent: "  ", width: 100 };

const EXAMPLES = `  # Serve on port 8080 of every address of this machine.
  ${PROGRAM} 8080 "$ADMIN_KEY"

  # Only for this machine, the key in a file.
  ADMIN_KEY_FILE=/run/secrets/admin ${PROGRAM} --host 127.0.0.1
`;

const ENDING = `Each flag is also read from the environment: --queue-max from CHATGPT_API_QUEUE_MAX, and so on.
PORT, ADMIN_KEY, AGENT_KEY and UPSTREAM_KEY need no prefix. A secret is also read from the file that
<NAME>_FILE names. The command line comes before the environment. Without a unit a time is in
seconds, and a size in bytes.
`;

/** Prints what can be given: of the command named, or of all. */
export const help: Command = async ([word, ...more], io) => {
  if (more.length > 0 || (word !== undefined && !isCommand(word)))
    throw new CommandError("no help for that: give one command, or none", { exitCode: 2 });
  io.out(word === undefined ? helpOfAll() : helpOfOne(word));
  return 0;
};

/** At most 100 characters wide, as are all texts here. */
export function helpOfAll(): string {
  const commands = Object.values(COMMANDS).map(({ usage, summary }) => [usage[0], summary]);
  return [
    `${PROGRAM} ${VERSION}: one HTTP API in front of every model session you can reach\n`,
    EXAMPLES,
    `Commands\n${table(commands, LAYOUT)}`,
    flags(SETTING_NAMES),
    secrets(),
    ENDING,
  ].join("\n");
}

function helpOfOne(name: CommandName): string {
  const { summary, usage, settings, flags: own = [] }: CommandEntry = COMMANDS[name];
  const names = settings === "all" ? SETTING_NAMES : settings;
  const lines = usage.map((line) => `  ${PROGRAM} ${line}\n`).join("");
  const ownFlags = own.length > 0 ? [`Flags\n${table(own, LAYOUT)}`] : [];
  return [`${summary}\n`, lines, ...ownFlags, ...(names.length > 0 ? [flags(names), ENDING] : [])].join("\n");
}

function flags(names: readonly SettingName[]): string {
  const sections = Object.entries(GROUPS).map(([title, group]) => {
    const rows = group.filter((name) => names.includes(name)).map(flagRow);
    return { title, rows };
  });
  const filled = sections.filter(({ rows }) => rows.length > 0);
  return filled.map(({ title, rows }) => `${title}\n${table(rows, LAYOUT)}`).join("\n");
}

function flagRow(name: SettingName): string[] {
  const { value, doc, default: byDefault, absent } = SETTINGS[name];
  return [`${flagOf(name)} ${value}`, `${doc} (${byDefault ?? absent})`];
}

function secrets(): string {
  const names = SETTING_NAMES.filter((name) => SETTINGS[name].secret);
  const rows = names.map((name) => [variablesOf(name).at(-1) ?? "", SETTINGS[name].doc]);
  return `Secrets of the environment\n${table(rows, LAYOUT)}`;
}
