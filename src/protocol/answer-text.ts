/** The fields in which answers and events of all APIs have what the model wrote. */
const TEXT_FIELDS: ReadonlySet<string> = new Set([
  ...["content", "text", "delta", "refusal", "response"],
  ...["reasoning", "reasoning_content", "thinking"],
  ...["arguments", "partial_json"],
]);

const OBJECTS: ReadonlySet<string> = new Set(["input", "arguments"]);

/**
 * Returns all that the model wrote in a whole answer or in one event: text, reasoning and the arguments of
 * tool calls, joined. For counting only, as it says nothing about their order.
 */
export function textIn(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  if (Array.isArray(value)) return value.map(textIn).join("");
  return Object.entries(value)
    .map(([name, inner]) => textOfField(name, inner))
    .join("");
}

function textOfField(name: string, value: unknown): string {
  // The input of a tool in Anthropic's messages, and the arguments of one in Ollama's.
  if (OBJECTS.has(name) && typeof value === "object") return JSON.stringify(value);
  if (TEXT_FIELDS.has(name)) return textOf(value);
  return textIn(value);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join("");
  return typeof value === "string" ? value : textIn(value);
}
