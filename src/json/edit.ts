import { endOfString } from "./bounds.ts";

/**
 * The functions of this file change one field of a JSON object and leave every other byte as it is. The
 * server does not care about number formats, the order of keys, or white space, but a body belongs to its
 * caller. Hand-written, as it runs for every request to a model and must not copy or parse megabytes twice.
 */

interface Entry {
  key: string;
  /** The index of the key's first quote. */
  from: number;
  valueFrom: number;
  /** The index after the value's last character. */
  valueTo: number;
}

/** Returns `text`, a valid JSON object, with `key` set to `value`, in its place or else at the end. */
export function setField(text: string, key: string, value: unknown): string {
  const json = JSON.stringify(value);
  const entries = entriesOf(text);
  // The last of duplicate keys counts.
  const found = entries.findLast((entry) => entry.key === key);
  if (found) return text.slice(0, found.valueFrom) + json + text.slice(found.valueTo);
  const end = text.lastIndexOf("}");
  const comma = entries.length > 0 ? "," : "";
  return `${text.slice(0, end)}${comma}${JSON.stringify(key)}:${json}${text.slice(end)}`;
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

function entriesOf(text: string): Entry[] {
  const entries: Entry[] = [];
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text[at] === '"') {
    const from = at;
    const keyTo = endOfString(text, at) + 1;
    const valueFrom = skipSpace(text, skipSpace(text, keyTo) + 1);
    const valueTo = skipValue(text, valueFrom);
    entries.push({ key: JSON.parse(text.slice(from, keyTo)), from, valueFrom, valueTo });
    at = skipSpace(text, valueTo);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return entries;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at] ?? "")) at++;
  return at;
}

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from) + 1;
  if (first === "{" || first === "[") return skipNested(text, from);
  const end = /[,}\]\s]/g;
  end.lastIndex = from;
  return end.exec(text)?.index ?? text.length;
}

function skipNested(text: string, from: number): number {
  const mark = /["{}[\]]/g;
  mark.lastIndex = from;
  let depth = 0;
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    const [character] = found;
    if (character === '"') mark.lastIndex = endOfString(text, found.index) + 1;
    else depth += character === "{" || character === "[" ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
  return text.length;
}
