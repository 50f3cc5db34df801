import type { SettingName } from "../config/settings.ts";
import { AGENT_FLAGS, KEY_FLAGS, SERVER_FLAG } from "./agents/key-flags.ts";
import type { Flags } from "./args.ts";
import { SERVICE_FLAGS } from "./service/actions.ts";
import { ALLOW_UPDATE_FLAG, UPDATE_FLAGS } from "./update/flags.ts";
import { ATTRIBUTE_FLAGS, GRACE_FLAG, JSON_FLAG } from "./users/flags.ts";

export interface CommandDescription {
  summary: string;
  /** The arguments after the program's name, a line for each way to call it. */
  usage: readonly string[];
  /** The settings that the command reads. */
  settings?: readonly SettingName[] | "all";
  /** The help text of a setting that means something else to this command. */
  settingHelp?: Partial<Record<SettingName, string>>;
  flags?: Flags;
  /** How to call its subcommands that manage a service, and their flags. */
  service?: { usage: readonly string[]; flags: Flags };
  /** The help text after the flags. */
  note?: string;
}

/** Every command: what help texts say about it, and which settings and flags it reads. */
export const COMMANDS = {
  serve: {
    summary: "Start the server. The word serve may be left out.",
    usage: ["[serve] <port> <admin-key> [flags]"],
    settings: "all",
    service: {
      usage: ["serve install <port> [<admin-key>] [flags]", "serve uninstall|status|logs [flags]"],
      flags: SERVICE_FLAGS,
    },
  },
  agent: {
    summary: "Connect model servers, on this machine or others, to a server as agents.",
    usage: ["agent <server> [flags]", "agent --config <file> [flags]"],
    service: {
      usage: ["agent install <server> [flags]", "agent uninstall|status|logs [flags]"],
      flags: SERVICE_FLAGS,
    },
    settings: [
      ...["upstreams", "upstreamKeys", "models", "endpoints", "slots", "name", "echo", "agentKey", "drainMs"],
      ...["priority", "weight", "tags", "data", "logLevel", "logFormat"],
      ...["autoUpdate", "updateFrom", "requireProvenance", "updateRequest"],
    ],
    flags: { ...AGENT_FLAGS, ...ALLOW_UPDATE_FLAG },
    settingHelp: {
      upstreams: "Base URL of a model server; /v1 is added if needed. May be repeated. (all on this machine)",
      upstreamKeys: "API key of the model server; with several, one for each, or none. (none)",
      models: "Model to offer, listed or not. May be repeated. (all that the model server lists)",
      endpoints: "Endpoint to offer, such as chat/completions. May be repeated. (detected)",
      slots:
        "Requests to send to each model server at once; with several, one number for each. (what it says, or 8)",
      name: "Name of this agent in the server's lists. (the host's name)",
      priority: "Priority of this agent; the highest is used first, as long as it has room. (0)",
      weight: "Share of this agent among those of its priority. (1)",
      tags: "Tag of this agent, such as home. May be repeated. (all of its key)",
      echo: "Echo the questions, without a model server. (no)",
      agentKey: "Key to register with, unless the server's address has one. (none)",
      autoUpdate: "Update the installed agent by itself, once a day. (no)",
      updateFrom: "Release page or folder that updates come from. (the release page of this build)",
      requireProvenance: "Refuse an update without a proof of its origin. (no)",
      updateRequest: "File that the installed agent creates to ask for its update. (none)",
      data: "Folder that keeps the key of a pairing. (one of the user's own)",
      drainMs: "Time for running requests to finish when the agent stops. (30s)",
    },
  },
  users: {
    summary: "Manage the users in the database. The server may run meanwhile.",
    usage: [
      "users list [flags]",
      "users add [flags]",
      "users show|disable|enable|delete <id or name> [flags]",
      "users set <id or name> [flags]",
      "users rotate <id or name> [--grace <time>] [flags]",
      "users import <auth.db> [flags]",
    ],
    settings: ["data", "database", "sealKey", "clusterKey"],
    flags: { ...ATTRIBUTE_FLAGS, ...GRACE_FLAG, ...JSON_FLAG },
    note: "The value none removes what was set. --expires takes 30d, 2026-12-31 or 2026-12-31T18:00:00Z.",
  },
  agents: {
    summary: "Pair agents, and manage their keys in the database. The server may run meanwhile.",
    usage: [
      "agents list [--json] [flags]",
      "agents add <name> [--models <models>] [--json] [flags]",
      "agents pair [<name>] [--server <address>] [--models <models>] [--json] [flags]",
      "agents change <name or id> [--json] [flags]",
      "agents revoke <name or id> [--json] [flags]",
      "agents address [flags]",
    ],
    settings: [
      ...(["data", "database", "agentKey", "clusterKey", "port", "host", "tlsCert"] as const),
      ...(["domains", "publicUrl"] as const),
    ],
    settingHelp: {
      agentKey: "address: the server's main agent key. (read from the data folder)",
      port: "address, pair: the server's port. (8080; 443 with --domain)",
      host: "address, pair: the address that the server listens on. (every address)",
      tlsCert: "address, pair: the server's TLS certificate. (none)",
      domains: "address, pair: the host name that the server has a certificate for. (none)",
      publicUrl: "add, address, pair: the address at which agents reach the server. (none)",
    },
    note: "The value none removes what was set. agents address prints addresses with the main agent key.",
    flags: {
      models: {
        value: "<models>",
        help: "add, pair: the only models that agents with this key may offer, separated by commas.",
        many: true,
      },
      ...SERVER_FLAG,
      ...KEY_FLAGS,
      ...JSON_FLAG,
    },
  },
  backup: {
    summary: "Copy the server's data into one file. The server may run meanwhile.",
    usage: ["backup <file> [--force] [flags]"],
    settings: ["data", "database", "sealKey"],
    flags: {
      force: { help: "Overwrite the file if it exists." },
      audited: { help: "The server has recorded the backup in the audit.", hidden: true },
    },
  },
  restore: {
    summary: "Check a backup, and replace the data of a stopped server with it.",
    usage: ["restore <file> [--force] [flags]"],
    settings: ["data", "database", "sealKey"],
    flags: { force: { help: "Restore even if the seal key decrypts none of the tokens." } },
  },
  move: {
    summary: "Copy the data folder of a stopped server into an empty PostgreSQL database.",
    usage: ["move --to <URL> [flags]"],
    settings: ["data", "database"],
    flags: { to: { value: "<URL>", help: "The database. (--database)" } },
    settingHelp: { database: "The database, if --to is not given. (none)" },
  },
  client: {
    summary: "Print, or write, the configuration of a program that uses this server.",
    usage: ["client codex|claude|opencode|continue|aider|openwebui|zed|vscode [flags]"],
    flags: {
      server: { value: "<URL>", help: "The server's address. (http://localhost:8080)" },
      token: { value: "<token>", help: "A user's token. Others on this machine may see it here." },
      "token-file": { value: "<file>", help: "The file with the token." },
      model: { value: "<model>", help: "The model to start with. (the configured one, or the first)" },
      provider: { value: "<name>", help: "The server's name in the client, if it knows several. (mine)" },
      write: { help: "Merge it into the client's file. The old file is copied first." },
      file: {
        value: "<file>",
        help: "With --write: the client's file, if it is not where the client has it.",
      },
    },
    note: [
      "The token may also be in CHATGPT_API_TOKEN, or in the file that CHATGPT_API_TOKEN_FILE names.",
      "Otherwise the command asks for it at a terminal.",
    ].join("\n"),
  },
  config: {
    summary: "Show every setting as the server would read it, with secrets masked.",
    usage: ["config [--json] <port> <admin-key> [flags]"],
    settings: "all",
    flags: JSON_FLAG,
  },
  health: {
    summary: "Check that a server is healthy. The exit code is 0 if it is, and 1 if not.",
    usage: ["health [<url>] [flags]"],
    settings: ["port", "host", "tlsCert", "domains"],
    settingHelp: {
      port: "Port of the server on this machine. (8080; 443 with --domain)",
      host: "Address that it listens on. (every address)",
      tlsCert: "Its certificate, if it speaks TLS. (none)",
      domains: "Its host name, if it gets its own certificate. (none)",
    },
  },
  update: {
    summary: "Update this program to the newest release, or to another one, and restart its services.",
    usage: ["update [<version>] [flags]", "update --check [flags]", "update --rollback [flags]"],
    settings: ["updateFrom", "requireProvenance"],
    settingHelp: {
      updateFrom:
        "Release page, or folder with the files of a release. --from is short for it. (this build's)",
      requireProvenance: "Refuse a release that does not prove that the project's workflow built it. (no)",
    },
    flags: UPDATE_FLAGS,
    note: "A release page is laid out as GitHub's: <URL>/latest and <URL>/download/v0.2.0/<file>.",
  },
  help: { summary: "Show this help, or the help of one command.", usage: ["help [<command>]"] },
  version: {
    summary: "Show the version.",
    usage: ["version [--data <folder>]"],
    flags: {
      data: {
        value: "<folder>",
        help: "Also show whether this version can use the data: current, older, newer, foreign, absent.",
      },
    },
  },
} as const satisfies Record<string, CommandDescription>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}
