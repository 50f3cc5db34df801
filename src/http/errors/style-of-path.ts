import { anthropicStyle } from "./anthropic.ts";
import { openaiStyle, responsesStyle } from "./openai.ts";
import { referenceStyle } from "./reference.ts";
import type { ErrorStyle } from "./style.ts";

/** Returns the style in which a path tells its errors, whether there is a route or not. */
export function errorStyleOf(path: string): ErrorStyle {
  if (!path.startsWith("/v1/")) return referenceStyle;
  if (path.startsWith("/v1/messages")) return anthropicStyle;
  return path.startsWith("/v1/responses") ? responsesStyle : openaiStyle;
}
