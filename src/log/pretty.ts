import type { LogEntry, LogLevel } from "./entry.ts";

/** The most important fields of the most common events, written first and without names. */
const HEADS: Readonly<Record<string, readonly string[]>> = {
  request: ["method", "route", "status", "ms"],
  ask: ["surface", "model", "outcome", "ms"],
};

const EVENT_WIDTH = 8;
const LEVEL_WIDTH = 5;

const COLOURS: Record<LogLevel, number> = { debug: 90, info: 32, warn: 33, error: 31 };
const DIM = 2;
const BOLD = 1;

/** Returns a line without its newline: the local time of day, the level, the event and its fields. */
export function prettyLine({ time, level, event, fields }: LogEntry, coloured: boolean): string {
  const paint = coloured ? coloursOf : plain;
  const head = HEADS[event] ?? [];
  const shown = [
    paint(timeOfDay(time), DIM),
    paint(level.padEnd(LEVEL_WIDTH), COLOURS[level]),
    paint(shownText(event).padEnd(EVENT_WIDTH), BOLD),
  ];
  for (const name of head) {
    const value = fields[name];
    if (value !== undefined) shown.push(name === "ms" ? `${value}ms` : shownText(String(value)));
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || head.includes(name)) continue;
    shown.push(paint(`${shownText(name)}=`, DIM) + shownText(String(value)));
  }
  return shown.join(" ").trimEnd();
}

const coloursOf = (text: string, code: number) => `\x1b[${code}m${text}\x1b[0m`;
const plain = (text: string) => text;

function timeOfDay(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const milliseconds = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`;
}

/** Quotes the text unless it is one word. Nothing in it can end the line or control the terminal. */
function shownText(text: string): string {
  if (/^[^\s"=\p{C}]+$/u.test(text)) return text;
  return JSON.stringify(text).replace(/[\p{C}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}
