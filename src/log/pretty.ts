import { printable } from "../printable.ts";
import type { LogEntry, LogLevel } from "./entry.ts";

/** The most important fields of the most common events, written first and without names. */
const FIRST_FIELDS: Readonly<Record<string, readonly string[]>> = {
  request: ["method", "route", "status", "ms"],
  ask: ["surface", "model", "outcome", "ms"],
};

const EVENT_WIDTH = 8;
const LEVEL_WIDTH = 5;

const COLOURS: Record<LogLevel, number> = { debug: 90, info: 32, warn: 33, error: 31 };
const DIM = 2;
const BOLD = 1;

/**
 * Returns a line with its newline: the local time of day, the level, and the words of the event. An event
 * without words has its name and its fields.
 */
export function prettyLine({ time, level, event, fields, words }: LogEntry, colored: boolean): string {
  const paint = colored ? withColor : withoutColor;
  const head = [paint(timeOfDay(time), DIM), paint(level.padEnd(LEVEL_WIDTH), COLOURS[level])];
  if (words !== undefined) return `${[...head, printable(words)].join(" ")}\n`;
  const first = FIRST_FIELDS[event] ?? [];
  const parts = [...head, paint(quoted(event).padEnd(EVENT_WIDTH), BOLD)];
  for (const name of first) {
    const value = fields[name];
    if (value !== undefined) parts.push(name === "ms" ? `${value}ms` : quoted(String(value)));
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || first.includes(name)) continue;
    parts.push(paint(`${quoted(name)}=`, DIM) + quoted(String(value)));
  }
  return `${parts.join(" ").trimEnd()}\n`;
}

const withColor = (text: string, code: number) => `\x1b[${code}m${text}\x1b[0m`;
const withoutColor = (text: string) => text;

function timeOfDay(time: Date): string {
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** Quotes the text unless it is one word. Nothing in it can end the line or control the terminal. */
function quoted(text: string): string {
  if (/^[^\s"=\p{C}]+$/u.test(text)) return text;
  return printable(JSON.stringify(text));
}
