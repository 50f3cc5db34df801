import { nearest } from "../config/nearest.ts";
import { CommandError } from "../errors.ts";
import { COMMANDS, type CommandName, isCommand } from "./commands.ts";
import type { Io } from "./io.ts";
import { PROGRAM } from "./version.ts";

/** Runs the command that the arguments name, the server where they name none. Gives the exit code, never throws. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const { name, rest } = choose(args);
    const command = await COMMANDS[name].load();
    return await command(rest, io);
  } catch (error) {
    return report(error, io);
  }
}

function choose(args: readonly string[]): { name: CommandName; rest: readonly string[] } {
  const [first, ...others] = args;
  const flags = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
  if (flags.includes("--help") || flags.includes("-h"))
    return { name: "help", rest: isCommand(first) && first !== "help" ? [first] : [] };
  if (flags.includes("--version") || flags.includes("-v")) return { name: "version", rest: [] };
  if (isCommand(first)) return { name: first, rest: others };
  const meant = /^[a-z]/i.test(first ?? "") && nearest(first ?? "", Object.keys(COMMANDS));
  if (meant) throw new CommandError(`unknown command: did you mean ${meant}?`, { exitCode: 2 });
  return { name: "serve", rest: args };
}

function report(error: unknown, io: Io): number {
  if (error instanceof CommandError) {
    for (const line of error.message.split("\n")) io.err(`${PROGRAM}: ${line}\n`);
    if (error.exitCode === 2) io.err(`${PROGRAM}: see ${PROGRAM} --help\n`);
    return error.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const debug = io.env["CHATGPT_API_LOG_LEVEL"] === "debug";
  io.err(`${PROGRAM}: unexpected error: ${debug && stack ? stack : message.replaceAll("\n", " ")}\n`);
  return 1;
}
