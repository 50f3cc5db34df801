const COUNTED = /^expected (?:string|array|number) to (have|be) ([<>])=(\d+)(?: (character|item)s)?$/;

/** Returns what a message of the schema library says about a value, in plain words without a full stop. */
export function plainMessage(message: string): string {
  const text = message.replace(/^(?:Invalid (?:input|option|string)|Too (?:small|big)): /, "");
  const [, , sign, number, unit] = COUNTED.exec(text) ?? [];
  if (sign !== undefined) return `expected at ${sign === ">" ? "least" : "most"} ${amount(number, unit)}`;
  return text
    .replace(/^Unrecognized key(s?): /, "unknown key$1 ")
    .replace(/^Invalid discriminator.*/, "expected string")
    .replace(/^expected int(?:, received number)?/, "expected a whole number");
}

function amount(number = "", unit = ""): string {
  if (unit === "") return number;
  return `${number} ${unit}${number === "1" ? "" : "s"}`;
}
