import { AppError } from "../../errors.ts";
import { type Entry, entriesOf } from "../../json/edit.ts";

/**
 * The fields by which the server decides. The flags `iu` compare by Unicode's simple case folding, as Go's
 * JSON parser does: U+017F folds to `s`, and U+212A to `k`.
 */
const DECISIVE = /^(?:models?|stream|stream_options|fallbacks)$/iu;
const DECISIVE_OPTION = /^include_usage$/iu;

/**
 * Returns the entries of the body of a model request. Throws `request_invalid` if parsers could read different
 * values in it: some take the first of two equal keys, and some ignore the case of a key. The server would then
 * check one model, and the upstream would use another.
 */
export function clearEntries(text: string): Entry[] {
  const entries = entriesOf(text);
  checkKeys(entries, DECISIVE, "");
  for (const { key, valueFrom, valueTo } of entries) {
    if (key === "stream_options" && text[valueFrom] === "{")
      checkKeys(entriesOf(text.slice(valueFrom, valueTo)), DECISIVE_OPTION, "stream_options.");
  }
  return entries;
}

function checkKeys(entries: readonly Entry[], decisive: RegExp, path: string): void {
  const seen = new Set<string>();
  for (const { key } of entries) {
    const isTwice = seen.has(key);
    seen.add(key);
    if (!isTwice && (/^[a-z_]+$/.test(key) || !decisive.test(key))) continue;
    const param = `${path}${shown(key)}`;
    const hint = isTwice
      ? `The body has the key \`${param}\` twice. Send it once.`
      : `Some upstreams read the key \`${param}\` as another. Write the field's name in lower case.`;
    throw new AppError("request_invalid", { param, hint });
  }
}

const KEY_LENGTH_MAX = 100;

const shown = (key: string): string => JSON.stringify(key.slice(0, KEY_LENGTH_MAX)).slice(1, -1);
