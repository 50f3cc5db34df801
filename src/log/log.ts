import { printable } from "../printable.ts";
import type { LogFields, LogLevel } from "./entry.ts";
import { jsonLine } from "./json.ts";
import { prettyLine } from "./pretty.ts";
import { Secrets } from "./secrets.ts";

export { causeOf } from "./cause.ts";
export type { LogFields, LogLevel } from "./entry.ts";

export type LogFormat = "json" | "pretty";

interface LogOptions {
  /** Called with one line, including its newline. */
  write: (line: string) => void;
  /** Lines below this level are dropped. Default: info. */
  level?: LogLevel;
  /** Default: json. */
  format?: LogFormat;
  /** Called with the words of an event whose line, as JSON, has none, so that people read them elsewhere. */
  say?: (words: string) => void;
  /** Colors pretty lines, for a terminal. Default: false. */
  colored?: boolean;
  /** Values to mask. Those shorter than 8 characters are not, as they would mask ordinary words. */
  secrets?: readonly string[];
  now?: () => Date;
}

const RANK: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

export type Log = ReturnType<typeof createLog>;

/**
 * Writes one line for each event, as a JSON object or as text for people. An event may have `words`:
 * people read them in its pretty line, or where `say` writes them. Callers pass names and numbers
 * only: never a body, a header or a URL with its query, and an error only by `causeOf`. As a second line of
 * defence, every registered secret is masked wherever it appears. That is why this is not pino, which redacts
 * by the path of a field.
 */
export function createLog(options: LogOptions) {
  const { write, level = "info", format = "json", colored = false } = options;
  const { say = () => {}, secrets = [], now = () => new Date() } = options;
  const hidden = new Secrets();
  const mask = (secret: string): void => hidden.add(secret);
  secrets.forEach(mask);
  const at =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}, words?: string): void => {
      if (RANK[name] < RANK[level]) return;
      const entry = { time: now(), level: name, event, fields, words };
      write(hidden.hide(format === "json" ? jsonLine(entry) : prettyLine(entry, colored)));
      if (words !== undefined && format === "json") say(hidden.hide(printable(words)));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    /** Masks one more secret from now on, such as a key created at the first start. */
    mask,
  };
}
