import { inputJson } from "../../../protocol/call-arguments.ts";
import { oneSystemMessage } from "../one-system.ts";
import { readShape, refuse } from "../refuse.ts";
import type { ToolNames } from "../tool-names.ts";
import {
  blocksOf,
  chatContent,
  isToolChange,
  type Part,
  partsOf,
  partsOfBlock,
  systemText,
  textOf,
} from "./content.ts";
import { Block, type Content, type MessagesBody, type Typed } from "./schema.ts";

type ChatMessage = Record<string, unknown>;

/** Returns the system prompt and all messages. */
export function chatMessages({ system, messages }: MessagesBody, names: ToolNames): object[] {
  const last = messages.length - 1;
  const noPrefill = "Assistant prefill is not supported here: the last message must be from the user.";
  if (messages[last]?.role === "assistant") throw refuse(`messages[${last}].role`, noPrefill);
  return oneSystemMessage([
    { role: "system", content: system ? systemText(system, "system") : "" },
    ...messages.flatMap(({ role, content }, index) => {
      const path = `messages[${index}].content`;
      if (role === "user") return userMessages(content, path);
      if (role === "assistant") return assistantMessages(content, path, names);
      return [{ role: "system", content: systemText(content, path) }];
    }),
  ]);
}

/**
 * Returns the results of tools first, as messages of their own, which must follow the calls at once. Such a
 * message holds only text, so its images come in the user's message right after.
 */
function userMessages(content: Content, path: string): ChatMessage[] {
  const results: ChatMessage[] = [];
  const images: Part[] = [];
  const parts: Part[] = [];
  for (const { block, path: at } of blocksOf(content, path)) {
    if (block.type === "tool_result") {
      const result = toolResult(block, at);
      results.push(result.message);
      images.push(...result.images);
    } else if (!isLeftOut(block.type)) parts.push(...partsOfBlock(block, at));
  }
  const shown = [...images, ...parts];
  if (results.length > 0 && shown.length === 0) return results;
  return [...results, { role: "user", content: chatContent(shown) }];
}

function toolResult(block: Typed, path: string): { message: ChatMessage; images: Part[] } {
  const { tool_use_id, content, is_error } = readShape(Block.tool_result, block, path);
  const parts = partsOf(content ?? [], `${path}.content`);
  const images = parts.filter(({ type }) => type === "image_url");
  const texts = [textOf(parts), images.length > 0 && `(${countImages(images.length)} in the next message)`];
  const text = texts.filter(Boolean).join("\n");
  // A chat completion has no other way to mark an error.
  const marked = is_error ? `Error: ${text}` : text;
  const label: Part = { type: "text", text: `${countImages(images.length)} from tool call ${tool_use_id}:` };
  return {
    message: { role: "tool", tool_call_id: tool_use_id, content: marked },
    images: images.length > 0 ? [label, ...images] : [],
  };
}

const countImages = (count: number) => (count === 1 ? "1 image" : `${count} images`);

/**
 * Whether blocks of that type are left out. The signature of thinking is Anthropic's, and most chat templates
 * drop earlier thinking too. `fallback` tells which of Anthropic's models has answered. The others are of tools
 * that only Anthropic runs, which are left out themselves.
 */
const isLeftOut = (type: string): boolean =>
  ["thinking", "redacted_thinking", "mcp_tool_listing", "fallback"].includes(type) ||
  isToolChange(type) ||
  type.endsWith("_tool_use") ||
  type.endsWith("_tool_result");

/** Returns the message, or nothing if all its blocks are left out. */
function assistantMessages(content: Content, path: string, names: ToolNames): ChatMessage[] {
  const texts: string[] = [];
  const calls: unknown[] = [];
  for (const { block, path: at } of blocksOf(content, path)) {
    if (block.type === "text") texts.push(readShape(Block.text, block, at).text);
    else if (block.type === "compaction") texts.push(textOf(partsOfBlock(block, at)));
    else if (block.type === "tool_use") {
      const { id, name, input } = readShape(Block.tool_use, block, at);
      const called = { name: names.shorten(name), arguments: inputJson(input) };
      calls.push({ id, type: "function", function: called });
    } else if (!isLeftOut(block.type) && block.type !== "container_upload")
      throw refuse(`${at}.type`, `A chat completion cannot hold a \`${block.type}\` block.`);
  }
  const text = texts.join("\n");
  if (calls.length > 0) return [{ role: "assistant", content: text || null, tool_calls: calls }];
  return texts.length > 0 || typeof content === "string" ? [{ role: "assistant", content: text }] : [];
}
