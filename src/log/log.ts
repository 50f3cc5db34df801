import { type LogEntry, prettyLine } from "./pretty.ts";

export { causeOf } from "./cause.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "json" | "pretty";

export type LogFields = Record<string, string | number | boolean | null | undefined>;

/**
 * Writes one line for each event: a JSON object, or words for people. Callers pass names and figures only:
 * never a body, a header or an address with its query, and an error only by `causeOf`. As a second net, every
 * registered secret is masked.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Masks one more secret from here on, such as a key made at the first start. */
  mask(secret: string): void;
}

interface LogOptions {
  /** Takes one line, with its newline. */
  write: (line: string) => void;
  /** Lines below this level are dropped. Default: info. */
  level?: LogLevel;
  /** Default: json. */
  format?: LogFormat;
  /** Of pretty lines, for a terminal. Default: false. */
  coloured?: boolean;
  /** Values that must never be seen. Ones shorter than 8 characters would mask ordinary words, so they are left to the callers' discipline. */
  secrets?: readonly string[];
  now?: () => Date;
}

const RANK: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };
const SECRET_LENGTH_MIN = 8;

export function createLog({
  write,
  level = "info",
  format = "json",
  coloured = false,
  secrets = [],
  now = () => new Date(),
}: LogOptions): Log {
  const masked = new Set<string>();
  const mask = (secret: string) => {
    if (secret.length < SECRET_LENGTH_MIN) return;
    masked.add(secret);
    // As it is in a string of JSON, too, where some signs are written otherwise.
    masked.add(JSON.stringify(secret).slice(1, -1));
  };
  secrets.forEach(mask);
  const at =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (RANK[name] < RANK[level]) return;
      const time = now();
      let line =
        format === "json"
          ? jsonLine({ time, level: name, event, fields })
          : prettyLine({ time, level: name, event, fields }, coloured);
      for (const secret of masked) if (line.includes(secret)) line = line.replaceAll(secret, "***");
      write(`${line}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), mask };
}

/** The fields are not copied into one object with the rest: that would take longer than to write them down. */
function jsonLine({ time, level, event, fields }: LogEntry): string {
  const head = `{"time":"${timeText(time)}","level":"${level}","event":${JSON.stringify(event)}`;
  const rest = JSON.stringify(fields).slice(1);
  return rest === "}" ? `${head}}` : `${head},${rest}`;
}

let lastTime = { at: Number.NaN, text: "" };

/** A busy log has many lines in each millisecond. */
function timeText(time: Date): string {
  const at = time.getTime();
  if (at !== lastTime.at) lastTime = { at, text: time.toISOString() };
  return lastTime.text;
}
