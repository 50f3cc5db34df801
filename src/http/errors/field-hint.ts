import { plainMessage } from "../../json/schema-message.ts";

/**
 * Returns the hint for a value that does not fit its schema, made from the message of the schema library. It
 * names the field at fault, never what was in it.
 */
export function fieldHint(path: string, message = "Invalid input"): string {
  const field = path === "" ? "The body" : `\`${path}\``;
  const reason = plainMessage(message);
  if (reason === "Invalid input") return `${field} is not valid.`;
  const missing = /^(.*), but it is missing$/.exec(reason)?.[1];
  if (missing !== undefined) return `${field} is missing: ${missing}.`;
  return `${field} is not valid: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}.`;
}
