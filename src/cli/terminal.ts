import { isatty } from "node:tty";
import type { Environment } from "../config/read.ts";
import { printableLines } from "../printable.ts";
import { createStdoutWriter } from "./terminal/stdout-writer.ts";

/** The parts of its process that a command may use. */
export interface Terminal {
  env: Environment;
  /** Whether standard output is a terminal. */
  isTerminal?: boolean;
  /** Whether standard output shows colors, and the user did not turn them off (https://no-color.org). */
  colored?: boolean;
  /** Whether standard error is a terminal, so that what is written there is kept in no log. */
  errIsTerminal?: boolean;
  /** Writes to standard output, and adds a newline if the text does not end in one. Never throws. */
  out(text: string): void;
  /** Writes to standard error in the same way. */
  err(text: string): void;
  /** Asks for a text that is not shown. Missing if standard input is not a terminal. Undefined if the user gives up. */
  askSecret?: (question: string) => Promise<string | undefined>;
  /** Called with the number of texts that standard output lost, because its reader did not read. */
  onDropped?: (lines: number) => void;
}

/** Runs and returns the exit code. Throws a `CommandError` for a failure that the caller can mend. */
export type Command = (args: readonly string[], io: Terminal) => Promise<number>;

/** How long a reader that has stopped reading may delay the end of the program. */
const FLUSH_MS = 2000;

/** Returns the terminal of this process. Await `flush` before the process ends, or output is lost. */
export function processTerminal(): Terminal & { flush(): Promise<void> } {
  const err = createStdoutWriter(Bun.stderr);
  const out = createStdoutWriter(Bun.stdout, { onDropped: (lines) => terminal.onDropped?.(lines) });
  const isTerminal = isatty(1);
  const terminal: Terminal = {
    env: process.env,
    isTerminal,
    colored: isTerminal && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb",
    errIsTerminal: isatty(2),
    out: (text) => out.write(withNewline(text)),
    err: (text) => err.write(withNewline(text)),
    ...(isatty(0) && isatty(2) && { askSecret }),
  };
  const flush = async () => {
    await Promise.race([Promise.all([out.flush(), err.flush()]), Bun.sleep(FLUSH_MS)]);
  };
  return Object.assign(terminal, { flush });
}

const askSecret = async (question: string) => (await import("./client/ask-secret.ts")).askSecret(question);

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** Returns the value as JSON for standard output, which may be a terminal. */
export function toJson(value: unknown): string {
  return `${printableLines(JSON.stringify(value, undefined, 2))}\n`;
}

/** Returns the count with its noun, such as `1 user` or `2 users`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * A signal that comes again within this time counts once: npm passes on the Ctrl-C that the terminal has sent to every
 * process already, and systemd signals a launcher and its child alike.
 */
const SAME_SIGNAL_MS = 500;

/**
 * Resolves at the first SIGTERM or SIGINT. A second one ends the process at once with exit code 1, unless it is the same
 * signal within half a second. SIGHUP, which is also sent when a terminal is closed, no longer ends the process; add a
 * listener to act on it.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const stop = (signal: NodeJS.Signals) => {
    const at = performance.now();
    if (first === undefined) {
      first = { signal, at };
      resolve(signal);
    } else if (signal !== first.signal || at - first.at >= SAME_SIGNAL_MS) process.exit(1);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {});
  return promise;
}
