export type LogLevel = "debug" | "info" | "warn" | "error";

type Fields = Record<string, string | number | boolean | null | undefined>;

/**
 * Writes one JSON object a line. Callers pass names and figures only: never a body, a header or an
 * address with its query. As a second net, every registered secret is masked in the finished line.
 */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** Masks one more secret from here on, such as a key made at the first start. */
  mask(secret: string): void;
}

interface LogOptions {
  /** Takes one line, with its newline. */
  write: (line: string) => void;
  /** Lines below this level are dropped. Default: info. */
  level?: LogLevel;
  /** Values that must never be seen. Ones shorter than 8 characters would mask ordinary words, so they are left to the callers' discipline. */
  secrets?: readonly string[];
  now?: () => Date;
}

const RANK: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };
const SECRET_LENGTH_MIN = 8;

export function createLog({ write, level = "info", secrets = [], now = () => new Date() }: LogOptions): Log {
  const isMaskable = (secret: string) => secret.length >= SECRET_LENGTH_MIN;
  const masked = secrets.filter(isMaskable);
  const at = (name: LogLevel) => (event: string, fields?: Fields) => {
    if (RANK[name] < RANK[level]) return;
    let line = JSON.stringify({ time: now().toISOString(), level: name, event, ...fields });
    for (const secret of masked) if (line.includes(secret)) line = line.replaceAll(secret, "***");
    write(`${line}\n`);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    mask: (secret) => {
      if (isMaskable(secret)) masked.push(secret);
    },
  };
}
