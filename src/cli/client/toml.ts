import type { Change } from "./merge.ts";

/** A header of a table, or a key with its value. Positions are those of the text. */
interface Statement {
  kind: "table" | "tables" | "pair";
  /** The full path, with that of the table. */
  path: string[];
  start: number;
  /** The end of the header or of the value, without a comment. */
  end: number;
  /** The beginning of the value; `end` for a header. */
  value: number;
}

/**
 * Returns the TOML text with a change to one key. New keys of the root come first, and new tables last: anywhere
 * else they could part a comment from what it is about. Returns undefined for a change that it cannot make.
 * The text must be TOML. The caller must check that the result means what it should: a table that is written
 * in one line, for example, gets no further keys.
 */
export function changeToml(text: string, { path, value }: Change): string | undefined {
  if (path.length === 0 || typeof value === "object") return undefined;
  const names = path.map(String);
  const statements = statementsOf(text);
  const pair = statements.find((each) => each.kind === "pair" && isSamePath(each.path, names));
  if (pair && value !== undefined)
    return text.slice(0, pair.value) + JSON.stringify(value) + text.slice(pair.end);
  if (pair) return text.slice(0, pair.start) + text.slice(endOfLine(text, pair.end));
  return value === undefined ? undefined : addKey(text, statements, names, value);
}

function addKey(text: string, statements: readonly Statement[], path: string[], value: unknown): string {
  const table = path.slice(0, -1);
  const line = `${keyOf(path.at(-1) ?? "")} = ${JSON.stringify(value)}\n`;
  if (table.length === 0) return line + (/^\s*\[/.test(text) ? `\n${text}` : text);
  const header = statements.findIndex((each) => each.kind === "table" && isSamePath(each.path, table));
  if (header < 0) return `${text.trimEnd()}\n\n[${table.map(keyOf).join(".")}]\n${line}`.trimStart();
  const next = statements.findIndex((each, at) => at > header && each.kind !== "pair");
  const last = statements[(next < 0 ? statements.length : next) - 1];
  const at = endOfLine(text, last?.end ?? 0);
  const before = text.slice(0, at);
  return `${before}${before.endsWith("\n") ? "" : "\n"}${line}${text.slice(at)}`;
}

function isSamePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

function keyOf(name: string): string {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at + 1;
}

const SPACE = /[ \t\n]*(?:#[^\n]*\n?[ \t\n]*)*/y;
/**
 * A part of a value: a string, a comment, a bracket, a line feed, blanks, or anything else. The multi-line strings
 * come first: theirs begin as the others do.
 */
const TOKEN =
  /"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[\]{}\n]|[ \t]+|[^\s"'#[\]{}]+/y;
const HEADER = /\[\[?/y;
const KEY = /[ \t]*([\w-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')[ \t]*(\.?)/y;

function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let table: string[] = [];
  for (let at = skip(SPACE, text, 0); at < text.length; ) {
    const start = at;
    const value = skip(HEADER, text, at);
    const names = readPath(text, value);
    if (value > start) {
      const end = names.end + (value - start);
      const kind = value - start === 1 ? "table" : "tables";
      statements.push({ kind, path: names.path, start, end, value: end });
      // No path of a change leads into one of several tables.
      table = kind === "table" ? names.path : [...names.path, "[]"];
      at = skip(SPACE, text, end);
    } else {
      const begin = skip(/=[ \t]*/y, text, names.end);
      const end = endOfValue(text, begin);
      statements.push({ kind: "pair", path: [...table, ...names.path], start, end, value: begin });
      at = skip(SPACE, text, Math.max(end, start + 1));
    }
  }
  return statements;
}

/** Returns the position after the match at a position; the position itself if nothing matches. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function readPath(text: string, at: number): { path: string[]; end: number } {
  const path: string[] = [];
  let end = at;
  for (let dot: string | undefined = "."; dot === "."; ) {
    KEY.lastIndex = end;
    const match = KEY.exec(text);
    if (!match) break;
    const [, name = ""] = match;
    path.push(/^["']/.test(name) ? unquoted(name) : name);
    end = KEY.lastIndex;
    dot = match[2];
  }
  return { path, end };
}

function unquoted(text: string): string {
  return (Bun.TOML.parse(`a = ${text}`) as { a: string }).a;
}

/** Returns the end of the value that begins there, which may have several lines. */
function endOfValue(text: string, from: number): number {
  const step: Readonly<Record<string, number>> = { "[": 1, "{": 1, "]": -1, "}": -1 };
  let depth = 0;
  let end = from;
  TOKEN.lastIndex = from;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [token] = match;
    const isBlank = /^[\s#]/.test(token);
    if (depth === 0 && isBlank && /^[\n#]/.test(token)) break;
    depth += step[token] ?? 0;
    if (!isBlank) end = match.index + token.length;
  }
  return end;
}
