import { CommandError, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { printable, printableLines } from "../printable.ts";
import { fileErrorText } from "../system-error.ts";
import { hasFlag } from "./args.ts";
import { COMMANDS, type CommandName, isCommand } from "./commands.ts";
import { isServiceAction } from "./service/actions.ts";
import type { ServiceKind } from "./service/service.ts";
import type { Command, Terminal } from "./terminal.ts";
import { PROGRAM } from "./version.ts";

/** A command is loaded when it is called, so that a short one does not wait for the server's code. */
const LOAD: Record<CommandName, (rest: readonly string[]) => Promise<Command>> = {
  serve: async ([word]) => (isServiceAction(word) ? service("serve") : (await import("./serve.ts")).serve),
  agent: async ([word]) => (isServiceAction(word) ? service("agent") : (await import("./agent.ts")).agent),
  users: async () => (await import("./users.ts")).users,
  agents: async () => (await import("./agents.ts")).agents,
  backup: async () => (await import("./backup.ts")).backup,
  restore: async () => (await import("./backup.ts")).restore,
  move: async () => (await import("./backup.ts")).move,
  client: async () => (await import("./client.ts")).client,
  config: async () => (await import("./config.ts")).config,
  health: async () => (await import("./health.ts")).health,
  update: async () => (await import("./update/command.ts")).update,
  help: async () => (await import("./help.ts")).help,
  version: async () => (await import("./version.ts")).version,
};

async function service(kind: ServiceKind): Promise<Command> {
  return (await import("./service/command.ts")).serviceCommand(kind);
}

/** Runs the command that the arguments name, or else the server. Returns the exit code and never throws. */
export async function run(args: readonly string[], io: Terminal): Promise<number> {
  let name: CommandName | undefined;
  try {
    const chosen = choose(args);
    name = chosen.name;
    const command = await LOAD[name](chosen.rest);
    return await command(chosen.rest, io);
  } catch (error) {
    return report(error, name, io);
  }
}

function choose(args: readonly string[]): { name: CommandName; rest: readonly string[] } {
  const [first, ...others] = args;
  if (hasFlag(args, "--help", "-h"))
    return { name: "help", rest: isCommand(first) && first !== "help" ? [first] : [] };
  if (hasFlag(args, "--version", "-v")) return { name: "version", rest: [] };
  if (isCommand(first)) return { name: first, rest: others };
  const meant = /^[a-z]/i.test(first ?? "") && nearest(first ?? "", Object.keys(COMMANDS));
  if (meant) throw usageError(`Unknown command. Did you mean ${meant}?`);
  return { name: "serve", rest: args };
}

function report(error: unknown, name: CommandName | undefined, io: Terminal): number {
  if (error instanceof CommandError) {
    for (const line of error.message.split("\n")) io.err(`${PROGRAM}: ${printable(line)}\n`);
    const help = name === undefined || name === "help" ? "--help" : `help ${name}`;
    if (error.exitCode === 2) io.err(`Run ${PROGRAM} ${help} to see the usage.\n`);
    return error.exitCode;
  }
  const { stack, path } = (error instanceof Error ? error : new Error()) as NodeJS.ErrnoException;
  const words = `${path === undefined ? "" : `${path}: `}${fileErrorText(error)}`;
  const debug = io.env["CHATGPT_API_LOG_LEVEL"] === "debug";
  io.err(`${PROGRAM}: Unexpected error: ${debug && stack ? printableLines(stack) : printable(words)}\n`);
  return 1;
}
