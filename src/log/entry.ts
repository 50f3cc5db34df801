export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface LogEntry {
  time: Date;
  level: LogLevel;
  event: string;
  fields: LogFields;
}
