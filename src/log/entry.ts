export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface LogEntry {
  time: Date;
  level: LogLevel;
  event: string;
  fields: LogFields;
  /** The event as a sentence for people, which replaces its name and its fields in a pretty line. */
  words?: string | undefined;
}
