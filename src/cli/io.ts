import { isatty } from "node:tty";
import { createSink } from "./stdout-writer.ts";

/** What a command may touch of its process. */
export interface Io {
  env: Record<string, string | undefined>;
  /** Standard output is a terminal that shows colours, and nobody asked for none: https://no-color.org. */
  coloured?: boolean;
  /** Writes to standard output, with a newline where the text does not end in one. Never throws. */
  out(text: string): void;
  /** The same for standard error. */
  err(text: string): void;
}

/** Does its work and gives the exit code. What its caller can mend it throws as a `CommandError`. */
export type Command = (args: readonly string[], io: Io) => Promise<number>;

/** How long a reader that has stopped reading may hold up the end of the program. */
const FLUSH_MS = 2000;

/** The real thing. `flush` must be awaited before the process ends, or output is lost. */
export function processIo(): Io & { flush(): Promise<void> } {
  const out = createSink(Bun.stdout);
  const err = createSink(Bun.stderr);
  return {
    env: process.env,
    coloured: isatty(1) && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb",
    out: (text) => out.write(closed(text)),
    err: (text) => err.write(closed(text)),
    flush: () => Promise.race([Promise.all([out.flush(), err.flush()]).then(() => {}), Bun.sleep(FLUSH_MS)]),
  };
}

function closed(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
