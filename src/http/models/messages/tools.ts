import { readShape, refuse } from "../refuse.ts";
import { ClientTool, type MessagesBody } from "./schema.ts";

/**
 * Returns the tools for the chat completion, and which of them the model may or must call. `defer_loading`,
 * `eager_input_streaming`, `input_examples` and `cache_control` are left out, as tools work without them.
 */
export function chatTools({ tools, tool_choice: choice }: MessagesBody): Record<string, unknown> {
  const functions = (tools ?? []).map((tool, index) => chatTool(tool, `tools[${index}]`));
  const names = new Set(functions.map((tool) => tool.function.name));
  if (choice?.type === "any" && functions.length === 0) {
    throw refuse("tool_choice", "There are no tools to choose from.");
  }
  if (choice?.type === "tool" && !names.has(choice.name ?? "")) {
    throw refuse("tool_choice.name", "It must be the name of one of the tools.");
  }
  if (functions.length === 0) return {};
  return {
    tools: functions,
    ...(choice && { tool_choice: chatChoice(choice) }),
    ...(choice?.disable_parallel_tool_use && { parallel_tool_calls: false }),
  };
}

function chatTool(tool: NonNullable<MessagesBody["tools"]>[number], path: string) {
  if (tool.type !== null && tool.type !== undefined && tool.type !== "custom") {
    throw refuse(
      `${path}.type`,
      `\`${tool.type}\` tools are built into Anthropic's API and models. Use tools with an \`input_schema\`, which the caller runs.`,
    );
  }
  const { name, description, input_schema, strict } = readShape(ClientTool, tool, path);
  return {
    type: "function",
    function: {
      name,
      ...(description && { description }),
      parameters: input_schema,
      ...(typeof strict === "boolean" && { strict }),
    },
  };
}

function chatChoice({ type, name }: NonNullable<MessagesBody["tool_choice"]>): unknown {
  switch (type) {
    case "any":
      return "required";
    case "tool":
      return { type: "function", function: { name } };
    default:
      return type;
  }
}
