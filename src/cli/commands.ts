import type { SettingName } from "../config/read.ts";
import type { Command } from "./io.ts";
import { USER_FLAGS } from "./user-flags.ts";
import { version } from "./version.ts";

export interface CommandEntry {
  summary: string;
  /** What follows the program's name, a line for each way to call it. */
  usage: readonly string[];
  /** The settings whose flags it takes. */
  settings: readonly SettingName[] | "all";
  /** The flags that are no settings, each with what it does. */
  flags?: readonly (readonly [string, string])[];
  /** Loaded when it is called, so that a short command does not wait for the server's code. */
  load(): Promise<Command>;
}

/** What the command `agent` takes. */
export const AGENT_SETTINGS = [
  "upstream",
  "upstreamKey",
  "models",
  "endpoints",
  "slots",
  "name",
  "echo",
  "agentKey",
  "drainMs",
  "logLevel",
  "logFormat",
] as const satisfies readonly SettingName[];

export const COMMANDS = {
  serve: {
    summary: "Start the server. The word itself may be left out.",
    usage: ["[serve] <port> <admin-key> [flags]"],
    settings: "all",
    load: async () => (await import("./serve.ts")).serve,
  },
  agent: {
    summary: "Bring a model server of this machine, or any other, to a server as an agent.",
    usage: ["agent <server> [flags]"],
    settings: AGENT_SETTINGS,
    load: async () => (await import("./agent.ts")).agent,
  },
  users: {
    summary: "The users in the local database, whether the server runs or not.",
    usage: [
      "users list [flags]",
      "users add [flags]",
      "users show|disable|enable|delete <id or name> [flags]",
      "users set <id or name> [flags]",
      "users rotate <id or name> [--grace <time>] [flags]",
      "users import <auth.db> [flags]",
    ],
    settings: ["data"],
    flags: USER_FLAGS,
    load: async () => (await import("./users.ts")).users,
  },
  agents: {
    summary: "Keys of agents' own, on the local database.",
    usage: [
      "agents add <name> [--models <models>] [--json] [flags]",
      "agents list [--json] [flags]",
      "agents revoke <name or id> [--json] [flags]",
    ],
    settings: ["data"],
    flags: [
      ["--models <models>", "add: the only models that its agents may offer, separated by commas."],
      ["--json", "Print JSON, for programs."],
    ],
    load: async () => (await import("./agents.ts")).agents,
  },
  backup: {
    summary: "Copy the data of a server, running or not, into one file.",
    usage: ["backup <file> [--force] [flags]"],
    settings: ["data"],
    flags: [["--force", "Overwrite the file."]],
    load: async () => (await import("./backup.ts")).backup,
  },
  restore: {
    summary: "Check such a file and put its data in the place of a stopped server's.",
    usage: ["restore <file> [--force] [flags]"],
    settings: ["data"],
    flags: [["--force", "Go on where the seal key opens none of the tokens."]],
    load: async () => (await import("./restore.ts")).restore,
  },
  config: {
    summary: "Show every setting as the server would have it, secrets masked.",
    usage: ["config [--json] <port> <admin-key> [flags]"],
    settings: "all",
    load: async () => (await import("./config.ts")).config,
  },
  health: {
    summary: "Ask a server whether it is well: exit code 0 if so, else 1.",
    usage: ["health [<url>] [flags]"],
    settings: ["port", "host", "tlsCert"],
    load: async () => (await import("./health.ts")).health,
  },
  help: {
    summary: "Show this, or one command.",
    usage: ["help [<command>]"],
    settings: [],
    load: async () => (await import("./help.ts")).help,
  },
  version: {
    summary: "Show the version.",
    usage: ["version"],
    settings: [],
    load: async () => version,
  },
} as const satisfies Record<string, CommandEntry>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}
