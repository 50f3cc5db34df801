import { argumentsJson } from "../../../protocol/call-arguments.ts";
import { oneSystemMessage } from "../one-system.ts";
import { readShape, refuse } from "../refuse.ts";
import { type ChatPart, createHistory, type History } from "./history.ts";
import { NOT_KEPT, type RecalledInput } from "./recall.ts";
import { isReference } from "./reference.ts";
import { ContentPart, InputItem, type MessageContent, type Typed } from "./schema.ts";
import { customArguments, type Tools } from "./tools.ts";

/**
 * The items of tools that only the vendor runs, and of those that a chat completion cannot express:
 * `web_search_call`, `mcp_list_tools`, `local_shell_call_output` and so on. They are left out, as their tools
 * are.
 */
const VENDORS_ITEM = /_call(_output)?$|^mcp_|^tool_search_|^program(_output)?$/;
/** These are read before the messages. */
const SETTINGS_ITEM = /^(additional_tools|configuration_update)$/;
/**
 * References to reasoning, to which the AI SDK refers even when it sends calls in full, and to items that are
 * left out: searches, images, interpreter and MCP calls.
 */
const MAY_BE_MISSING = /^(rs|ws|fs|ig|ci|mcp|mcpl|mcpr|tsc|tso)_/;
const COMPACTED =
  "Only OpenAI can read a `compaction`. Send the messages that it stands for, or begin a new conversation.";
const NO_FILES = "Chat completions take no files. Send the text itself, or an image as `input_image`.";

/**
 * Returns the messages of the chat completion. All items of one turn of the model become one message, since a
 * chat completion holds text and calls in one, with the results right after it. System and developer messages
 * become `system`, which every upstream's template knows, but only at the start.
 */
export function readInput(
  instructions: string | null | undefined,
  { earlier, own }: RecalledInput,
  tools: Tools,
): object[] {
  const history = createHistory();
  if (instructions) history.add({ role: "system", content: instructions });
  const items = [...earlier, ...own];
  const lastUser = items.findLastIndex((item) => item["role"] === "user");
  for (const [index, item] of items.entries())
    readItem(item, `input[${index - earlier.length}]`, history, tools, index > lastUser);
  history.close();
  return oneSystemMessage(history.messages);
}

function readItem(item: Typed, path: string, history: History, tools: Tools, inLastTurn: boolean) {
  const type = isReference(item) ? "item_reference" : (item.type ?? "message");
  switch (type) {
    case "message":
      return readMessage(item, path, history);
    case "function_call":
    case "custom_tool_call":
      return readCall(item, path, history, tools);
    case "function_call_output":
    case "custom_tool_call_output":
      return readResult(item, path, history);
    // Models want their reasoning back while they work on one answer, between calls. They drop earlier
    // reasoning.
    case "reasoning":
      return inLastTurn ? readReasoning(item, path, history) : undefined;
    case "item_reference":
      if (MAY_BE_MISSING.test(readShape(InputItem.item_reference, item, path).id)) return;
      throw refuse(path, NOT_KEPT);
    case "compaction":
      throw refuse(`${path}.type`, COMPACTED);
    default:
      if (VENDORS_ITEM.test(type) || SETTINGS_ITEM.test(type)) return;
      throw refuse(`${path}.type`, `A chat completion cannot hold a \`${type}\` item.`);
  }
}

function readCall(item: Typed, path: string, history: History, tools: Tools): void {
  const { call_id, name, namespace } = readShape(InputItem.call, item, path);
  const kind = item.type === "custom_tool_call" ? "custom" : "function";
  const callArguments =
    kind === "custom"
      ? customArguments(readShape(InputItem.custom_tool_call, item, path).input)
      : readShape(InputItem.function_call, item, path).arguments;
  const wireName = tools.wireName({ kind, name, ...(namespace && { namespace }) });
  history.addCall(call_id, wireName, argumentsJson(callArguments));
}

function readReasoning(item: Typed, path: string, history: History): void {
  const { summary, content } = readShape(InputItem.reasoning, item, path);
  const texts = content?.length ? content : (summary ?? []);
  const reasoning = texts.map(({ text }) => text).join("\n\n");
  if (reasoning !== "") history.addReasoning(reasoning);
}

function readMessage(item: Typed, path: string, history: History): void {
  const { role, content } = readShape(InputItem.message, item, path);
  const parts = readContent(content, `${path}.content`);
  if (role === "user") history.add({ role, content: contentOf(parts) });
  else if (role === "assistant") history.addText(textOnly(parts, `${path}.content`));
  else history.add({ role: "system", content: textOnly(parts, `${path}.content`) });
}

function readResult(item: Typed, path: string, history: History) {
  const { call_id: callId, output } = readShape(InputItem.output, item, path);
  const parts = readContent(output, `${path}.output`);
  const others = parts.filter(({ type }) => type !== "text");
  const text = joinText(parts);
  if (others.length === 0) return history.addResult(callId, text, []);
  const heading = { type: "text", text: `Output of the tool call ${callId}:` };
  history.addResult(callId, text || "The output follows in the next message.", [heading, ...others]);
}

/** Returns a lone text as a string, which every upstream takes. */
function contentOf(parts: ChatPart[]): string | ChatPart[] {
  return parts.every(({ type }) => type === "text") && parts.length <= 1 ? joinText(parts) : parts;
}

function joinText(parts: readonly ChatPart[]): string {
  return parts.map(({ text }) => (typeof text === "string" ? text : "")).join("");
}

function textOnly(parts: readonly ChatPart[], path: string): string {
  const index = parts.findIndex(({ type }) => type !== "text");
  if (index === -1) return joinText(parts);
  throw refuse(`${path}[${index}]`, "Only a user's message or a tool's output may hold more than text.");
}

function readContent(content: MessageContent, path: string): ChatPart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map((part, index) => readPart(part, `${path}[${index}]`));
}

function readPart(part: Typed, path: string): ChatPart {
  switch (part.type) {
    case "input_text":
    case "output_text":
    case "text":
      return { type: "text", text: readShape(ContentPart.text, part, path).text };
    case "refusal":
      return { type: "text", text: readShape(ContentPart.refusal, part, path).refusal };
    case "input_image": {
      const { image_url: url, detail } = readShape(ContentPart.input_image, part, path);
      if (!url) throw refuse(`${path}.file_id`, "This server keeps no files. Send the image as `image_url`.");
      // Only the Responses API knows `original`; `high` is the nearest.
      return {
        type: "image_url",
        image_url: { url, ...(detail && { detail: detail === "original" ? "high" : detail }) },
      };
    }
    case "input_audio":
      return { type: "input_audio", input_audio: readShape(ContentPart.input_audio, part, path).input_audio };
    case "input_file":
      throw refuse(path, NO_FILES);
    default:
      throw refuse(
        `${path}.type`,
        `A chat completion cannot hold ${part.type ? `\`${part.type}\` content` : "content without a type"}.`,
      );
  }
}
