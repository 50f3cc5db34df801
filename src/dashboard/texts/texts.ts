import type { Child } from "hono/jsx/dom";
import english from "./en.json";

/**
 * The texts of the dashboard, which all stand in one table, `en.json`, so that a translation is one file. The first
 * part of a key is the page or component that shows the text. A text may have placeholders, as in `{count} agents`.
 * A text that depends on a number has one entry for each plural form of the language: `agents.count.one` and
 * `agents.count.other`, by the names of `Intl.PluralRules`. The page that is built has the texts in place of most keys.
 */
export type TextKey = keyof typeof english;

/** The keys of texts with plural forms, without the form. */
export type CountedKey = TextKey extends infer Key
  ? Key extends `${infer Start}.other`
    ? Start
    : never
  : never;

type Values = Readonly<Record<string, string | number>>;

const texts: Readonly<Record<string, string>> = english;

/** The language of the texts, as a BCP 47 tag. Numbers, times and sorted lists follow it too. */
export const language: string = english["language"];

/** Compares names as people sort them: `gpu-2` comes before `gpu-10`. `localeCompare` takes many times as long. */
export const compareNames: (a: string, b: string) => number = new Intl.Collator(language, {
  numeric: true,
  sensitivity: "base",
}).compare;

const plurals = new Intl.PluralRules(language);
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const PLACEHOLDER = /\{(\w+)\}/;

/** Returns the text with its placeholders replaced. Those without a value stay as they are. */
export function text(key: TextKey, values: Values = {}): string {
  return parts(texts[key] ?? key, values).join("");
}

/** Returns the text in the plural form for `count`, which also replaces the placeholder `{count}`. */
export function countedText(key: CountedKey, count: number, values: Values = {}): string {
  return parts(formOf(key, count), { count: whole.format(count), ...values }).join("");
}

/** Returns the text in pieces for JSX, with elements in place of its placeholders. */
export function richText(key: TextKey, values: Readonly<Record<string, Child>>): Child[] {
  return parts(texts[key] ?? key, values);
}

/** Returns the text in the plural form for `count`, in pieces for JSX. */
export function countedRichText(
  key: CountedKey,
  count: number,
  values: Readonly<Record<string, Child>>,
): Child[] {
  return parts(formOf(key, count), { count: whole.format(count), ...values });
}

function formOf(key: CountedKey, count: number): string {
  const form = plurals.select(count);
  const forms: unknown = key;
  if (isForms(forms)) return forms[form] ?? forms["other"] ?? "";
  return texts[`${key}.${form}`] ?? texts[`${key}.other`] ?? key;
}

/** The page that is built has plural forms in place of a counted key: see `inline-texts.ts`. */
function isForms(key: unknown): key is Readonly<Record<string, string>> {
  return typeof key === "object";
}

function parts<Value>(pattern: string, values: Readonly<Record<string, Value>>): (string | Value)[] {
  // A split by a pattern with a group has the names of the placeholders at the odd places.
  return pattern
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? part : (values[part] ?? `{${part}}`)));
}
