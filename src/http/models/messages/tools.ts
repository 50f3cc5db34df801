import { readShape, refuse } from "../refuse.ts";
import { withoutNulls } from "../translation.ts";
import { ClientTool, type MessagesBody } from "./schema.ts";

/**
 * Returns the tools for the chat completion, and which of them the model may or must call. `defer_loading`,
 * `eager_input_streaming`, `input_examples` and `cache_control` are left out, as tools work without them.
 */
export function chatTools({ tools, tool_choice: choice }: MessagesBody): Record<string, unknown> {
  const functions = (tools ?? []).map((tool, index) => chatTool(tool, `tools[${index}]`));
  const names = new Set(functions.map((tool) => tool.function.name));
  if (choice?.type === "any" && functions.length === 0)
    throw refuse("tool_choice", "There are no tools to choose from.");
  if (choice?.type === "tool" && !names.has(choice.name ?? ""))
    throw refuse("tool_choice.name", "It must be the name of one of the tools.");
  if (functions.length === 0) return {};
  return {
    tools: functions,
    ...(choice && { tool_choice: chatChoice(choice) }),
    ...(choice?.disable_parallel_tool_use && { parallel_tool_calls: false }),
  };
}

function chatTool(tool: NonNullable<MessagesBody["tools"]>[number], path: string) {
  if (tool.type != null && tool.type !== "custom") {
    const reason = `\`${tool.type}\` tools are built into Anthropic's API and models. Use tools with an \`input_schema\`, which the caller runs.`;
    throw refuse(`${path}.type`, reason);
  }
  const { name, description, input_schema: parameters, strict } = readShape(ClientTool, tool, path);
  const definition = { name, ...withoutNulls({ description: description || null, parameters, strict }) };
  return { type: "function", function: definition };
}

function chatChoice({ type, name }: NonNullable<MessagesBody["tool_choice"]>): unknown {
  if (type === "tool") return { type: "function", function: { name } };
  return type === "any" ? "required" : type;
}
