import { parseBoundedJson } from "../json/parse.ts";

/** Returns the arguments of a tool call as text. Some upstreams send the object itself. */
export function argumentsText(given: unknown): string {
  if (given == null) return "";
  return typeof given === "string" ? given : JSON.stringify(given);
}

/**
 * Returns the arguments of a tool call as an object. Anything else, such as arguments cut off by `max_tokens`,
 * must not look like a call without arguments, so it is kept as text under `INVALID_JSON`, the key that
 * Anthropic's documentation of fine-grained tool streaming suggests.
 */
export function argumentsObject(text: string): object {
  return readObject(text) ?? { INVALID_JSON: text };
}

/**
 * Returns the arguments of a call in the history as the text of an object, unchanged if they are one. Chat
 * templates parse them, and one call that was cut off would make every further request of its conversation fail.
 */
export function argumentsJson(text: string): string {
  const object = readObject(text);
  if (object && text.trim().startsWith("{")) return text;
  return JSON.stringify(object ?? { INVALID_JSON: text });
}

/** Returns the input of a call in the history in the same form. */
export function inputJson(input: unknown): string {
  const json = JSON.stringify(input ?? {});
  return json.startsWith("{") ? json : JSON.stringify({ INVALID_JSON: json });
}

/** Some upstreams send an empty text or `null` for no arguments. */
function readObject(text: string): object | undefined {
  if (text.trim() === "") return {};
  const value = parseBoundedJson(text);
  if (value === null) return {};
  return typeof value === "object" && !Array.isArray(value) ? value : undefined;
}
