import { jsonExcess } from "./bounds.ts";

/** Returns the value of a JSON text; undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Does the same for a text from another program: also undefined if it is nested too deeply to be parsed. */
export function parseBoundedJson(text: string): unknown {
  return jsonExcess(text, Number.POSITIVE_INFINITY) === undefined ? parseJson(text) : undefined;
}

/** Returns the property of that name; undefined if there is none, or if the value is not an object. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Returns the property of that name if it is a string. */
export function textField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}
