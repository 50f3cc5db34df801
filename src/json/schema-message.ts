const COUNTED = /^expected (?:\w+) to (?:have|be) ([<>])(=?)(-?[\d.]+)(?: (character|item)s)?$/;
const TYPED = /^expected (\w+)(?:, received (\w+))?$/;
/** A bar between two choices, and not within quotes. */
const BAR = /\|(?=(?:[^"]*"[^"]*")*[^"]*$)/g;

/** The types of the schema library, in plain words. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  undefined: "nothing",
  NaN: "something that is not a number",
};

/** The names of formats of a text, in plain words. */
const FORMATS: Readonly<Record<string, string>> = {
  "ISO date": "a date such as 2026-12-31",
  "ISO datetime": "a time such as 2026-12-31T18:00:00Z",
  UUID: "a UUID",
  URL: "a URL",
};

/** Returns what a message of the schema library says about a value, in plain words without a full stop. */
export function plainMessage(message: string): string {
  const [, format] = /^Invalid (ISO \w+|UUID|URL)$/.exec(message) ?? [];
  if (format !== undefined) return `expected ${FORMATS[format] ?? `a valid ${format}`}`;
  if (/^Invalid (?:key|value) in/.test(message)) return "one of its keys or values is not valid";
  const text = message.replace(/^(?:Invalid (?:input|option|string|number)|Too (?:small|big)): /, "");
  if (/^must match pattern/.test(text)) return "its form is not allowed";
  return counted(text) ?? typed(text) ?? otherwise(text);
}

function counted(text: string): string | undefined {
  const [, sign, equal, number = "", unit] = COUNTED.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const [inclusive, exclusive] = sign === ">" ? ["at least", "more than"] : ["at most", "less than"];
  return `expected ${equal ? inclusive : exclusive} ${amount(number, unit)}`;
}

function typed(text: string): string | undefined {
  const [, expected = "", received] = TYPED.exec(text) ?? [];
  if (expected === "") return undefined;
  const wanted = `expected ${TYPES[expected] ?? expected}`;
  if (received === undefined || expected === "int") return wanted;
  return received === "undefined"
    ? `${wanted}, but it is missing`
    : `${wanted}, not ${TYPES[received] ?? received}`;
}

function otherwise(text: string): string {
  return text
    .replace(/^Unrecognized key(s?): /, "unknown key$1 ")
    .replace(/^Invalid discriminator.*/, "expected a text")
    .replace(/^must be a multiple of /, "expected a multiple of ")
    .replace(/^expected one of .*/, (choices) => choices.replaceAll(BAR, ", "));
}

function amount(number: string, unit = ""): string {
  if (unit === "") return number;
  return `${number} ${unit}${number === "1" ? "" : "s"}`;
}
