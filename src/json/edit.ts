/**
 * Changes single fields of a JSON object and leaves every other byte as it is: number formats, the order of
 * keys and white space mean nothing to us, but bodies are the caller's and pass through untouched.
 */

interface Entry {
  key: string;
  /** Of the key's first quote, and of the value's first and behind its last character. */
  from: number;
  valueFrom: number;
  valueTo: number;
}

/** The same text with `key` set to `value`, in the place where it stands or else at the end. `text` must be a valid JSON object. */
export function setField(text: string, key: string, value: unknown): string {
  const json = JSON.stringify(value);
  const entries = entriesOf(text);
  // Of duplicates the last one counts.
  const found = entries.findLast((entry) => entry.key === key);
  if (found) return text.slice(0, found.valueFrom) + json + text.slice(found.valueTo);
  const end = text.lastIndexOf("}");
  const comma = entries.length > 0 ? "," : "";
  return `${text.slice(0, end)}${comma}${JSON.stringify(key)}:${json}${text.slice(end)}`;
}

/** The same text without `key`. `text` must be a valid JSON object. */
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
    const keyTo = skipString(text, at);
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

/** Strings may be megabytes of an image, so quotes are looked for rather than letters counted. */
function skipString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote >= 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote < 0 ? text.length : quote + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return skipString(text, from);
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
    if (character === '"') mark.lastIndex = skipString(text, found.index);
    else depth += character === "{" || character === "[" ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
  return text.length;
}
