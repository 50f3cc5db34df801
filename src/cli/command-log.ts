import type { Config } from "../config/settings.ts";
import { createLog, type Log } from "../log/log.ts";
import type { Terminal } from "./terminal.ts";
import { PROGRAM } from "./version.ts";

/**
 * Creates the log of a command that serves, on standard output. The words of an event go to standard error if
 * the log is JSON that is read elsewhere, while `maySay` returns true. On a terminal nothing may appear twice.
 */
export function createCommandLog(
  io: Terminal,
  { logLevel: level, logFormat }: Pick<Config, "logLevel" | "logFormat">,
  secrets: readonly (string | undefined)[],
  maySay = () => true,
): Log {
  const { out: write, colored = false, isTerminal = false } = io;
  const format = logFormat === "auto" ? (isTerminal ? "pretty" : "json") : logFormat;
  const known = secrets.filter((secret) => secret !== undefined);
  const say = (words: string) => {
    if (!isTerminal && maySay()) io.err(`${PROGRAM}: ${words}\n`);
  };
  const log = createLog({ write, level, format, colored, secrets: known, say });
  io.onDropped = (lines) => log.warn("output_dropped", { lines });
  return log;
}
