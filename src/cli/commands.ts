import type { SettingName } from "../config.ts";
import type { Command } from "./io.ts";
import { version } from "./version.ts";

interface CommandEntry {
  summary: string;
  /** What follows the program's name, a line for each way to call it. */
  usage: readonly string[];
  /** The settings whose flags it takes. */
  settings: readonly SettingName[] | "all";
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
    summary: "Take over the users of the reference server.",
    usage: ["users import <auth.db> [flags]"],
    settings: ["data"],
    load: async () => (await import("./users.ts")).users,
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
    settings: ["port", "host"],
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
