import { endOfString } from "./bounds.ts";

/**
 * The functions of this file change one field of a JSON object and leave every other byte as it is. The
 * server does not care about number formats, the order of keys, or white space, but a body belongs to its
 * caller. Hand-written, as it runs for every request to a model and must not copy or parse megabytes twice.
 */

export interface Entry {
  /** The key, its escapes decoded. */
  key: string;
  /** The index of the key's first quote. */
  from: number;
  valueFrom: number;
  /** The index after the value's last character. */
  valueTo: number;
}

/**
 * Returns `text`, a valid JSON object, with these fields set, each in its place or else at the end. `entries` are those of
 * the text, if they are known already.
 */
export function setFields(
  text: string,
  fields: Readonly<Record<string, unknown>>,
  entries: readonly Entry[] = entriesOf(text),
): string {
  const end = text.lastIndexOf("}");
  const edits: { from: number; to: number; json: string }[] = [];
  let hasFields = entries.length > 0;
  for (const [key, value] of Object.entries(fields)) {
    const json = JSON.stringify(value);
    // The last of duplicate keys counts.
    const found = entries.findLast((entry) => entry.key === key);
    if (found) edits.push({ from: found.valueFrom, to: found.valueTo, json });
    else edits.push({ from: end, to: end, json: `${hasFields ? "," : ""}${JSON.stringify(key)}:${json}` });
    hasFields = true;
  }
  let edited = "";
  let at = 0;
  for (const { from, to, json } of edits.sort((a, b) => a.from - b.from)) {
    edited += text.slice(at, from) + json;
    at = to;
  }
  return edited + text.slice(at);
}

/** Returns the text without `key`. `text` must be a valid JSON object. */
export function removeField(text: string, key: string): string {
  const entries = entriesOf(text);
  let edited = text;
  for (const [index, entry] of [...entries.entries()].reverse()) {
    if (entry.key !== key) continue;
    const next = entries[index + 1];
    const previous = entries[index - 1];
    const from = next ? entry.from : (previous?.valueTo ?? entry.from);
    edited = edited.slice(0, from) + edited.slice(next ? next.from : entry.valueTo);
  }
  return edited;
}

/** Returns the entries of `text`, a valid JSON object, in their order. Nested values are skipped. */
export function entriesOf(text: string): Entry[] {
  const entries: Entry[] = [];
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text[at] === '"') {
    const from = at;
    const keyTo = endOfString(text, at) + 1;
    const valueFrom = skipSpace(text, skipSpace(text, keyTo) + 1);
    const valueTo = skipValue(text, valueFrom);
    entries.push({ key: decodedKey(text.slice(from, keyTo)), from, valueFrom, valueTo });
    at = skipSpace(text, valueTo);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return entries;
}

const decodedKey = (json: string): string => (json.includes("\\") ? JSON.parse(json) : json.slice(1, -1));

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from) + 1;
  if (first === "{" || first === "[") return skipNested(text, from);
  let at = from;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++;
  return at;
}

function skipNested(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    // "[" and "{" differ in this bit only, and so do "]" and "}".
    else if ((code | 0x20) === 0x7b) depth++;
    else if ((code | 0x20) === 0x7d && --depth === 0) return at + 1;
  }
  return text.length;
}

const QUOTE = 0x22;

/** Whether a character is white space of JSON. */
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Whether a character ends a number or a word: a comma, a closing bracket or white space. */
const endsScalar = (code: number): boolean => code === 0x2c || (code | 0x20) === 0x7d || isSpace(code);
