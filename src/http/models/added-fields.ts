import type { AddedField } from "../../protocol/added-fields.ts";

type Fields = Record<string, unknown>;

/**
 * Returns the body of a chat completion without what an upstream refuses of the fields that the server added.
 * The caller's limit of the answer's length is kept under its newer name, which OpenAI's reasoning models want.
 * Without `stream`, the whole answer becomes the events that the caller asked for.
 */
export function withoutAdded(request: Fields, refused: ReadonlySet<AddedField>): Fields {
  const kept: Fields = {};
  for (const [name, value] of Object.entries(request)) {
    if (name === "max_tokens" && refused.has(name)) kept["max_completion_tokens"] = value;
    else if (!refused.has(name as AddedField)) kept[name] = value;
  }
  // It is an error without `stream`.
  if (refused.has("stream")) delete kept["stream_options"];
  if (refused.has("tools.strict")) kept["tools"] = mapped(kept["tools"], withoutStrict);
  if (refused.has("response_format.strict"))
    kept["response_format"] = changed(kept["response_format"], "json_schema", (schema) =>
      without(schema, "strict"),
    );
  if (refused.has("messages.reasoning_content"))
    kept["messages"] = mapped(kept["messages"], (message) => without(message, "reasoning_content"));
  return kept;
}

/** `strict: true` is the caller's wish. `false` is what a chat completion means without it. */
function withoutStrict(tool: unknown): unknown {
  return changed(tool, "function", (definition) =>
    isFields(definition) && definition["strict"] === false ? without(definition, "strict") : definition,
  );
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const mapped = (list: unknown, change: (value: unknown) => unknown): unknown =>
  Array.isArray(list) ? list.map(change) : list;

const changed = (value: unknown, name: string, change: (value: unknown) => unknown): unknown =>
  isFields(value) && name in value ? { ...value, [name]: change(value[name]) } : value;

function without(value: unknown, name: string): unknown {
  if (!isFields(value)) return value;
  const { [name]: _, ...rest } = value;
  return rest;
}
