import type { z } from "zod";
import { readShape, refuse } from "../refuse.ts";
import { Block, type Content, Source, type Typed } from "./schema.ts";

export type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

/** Returns the blocks of a content with the path of each. A bare string is one block of text. */
export function blocksOf(content: Content, path: string): { block: Typed; path: string }[] {
  if (typeof content === "string") return [{ block: { type: "text", text: content }, path }];
  return content.map((block, index) => ({ block, path: `${path}[${index}]` }));
}

/** Returns the parts of a content by a user or a tool. */
export function partsOf(content: Content, path: string): Part[] {
  return blocksOf(content, path).flatMap(({ block, path: at }) => partsOfBlock(block, at));
}

/**
 * Returns content without images as one string, since some upstreams take nothing else. Each block becomes a
 * line of its own, as in vLLM.
 */
export function chatContent(parts: readonly Part[]): string | readonly Part[] {
  return parts.some(({ type }) => type === "image_url") ? parts : textOf(parts);
}

export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

/**
 * Claude Code's first line of the system prompt, which is for Anthropic's billing and changes with every
 * request. In front of a prompt it would defeat the prefix cache of vLLM and llama.cpp.
 */
const BILLING_LINE = /^\s*x-anthropic-billing-header:[^\n]*\n?/i;

/** Whether a block changes the tools, and so has no place in the chat. */
export const isToolChange = (type: string): boolean => type === "tool_addition" || type === "tool_removal";

/** Returns the text of a system prompt or message, which may hold nothing else, without the billing line. */
export function systemText(content: Content, path: string): string {
  const texts = blocksOf(content, path).flatMap(({ block, path: at }) => {
    if (isToolChange(block.type)) return [];
    if (block.type !== "text")
      throw refuse(`${at}.type`, `Only text is allowed here, not \`${block.type}\`.`);
    const { text } = readShape(Block.text, block, at);
    const rest = text.replace(BILLING_LINE, "");
    return rest === "" && text !== "" ? [] : [rest];
  });
  return texts.join("\n");
}

export function partsOfBlock(block: Typed, path: string): Part[] {
  switch (block.type) {
    case "text":
      return [textPart(readShape(Block.text, block, path).text)];
    case "image":
      return [imageOf(readShape(Block.image, block, path).source, `${path}.source`)];
    case "document":
      return documentParts(block, path);
    case "search_result": {
      const { source, title, content, citations } = readShape(Block.search_result, block, path);
      refuseCitations(citations, path);
      return [textPart(`${title}\n${source}`), ...partsOf(content, `${path}.content`)];
    }
    case "compaction": {
      // The summary of the messages that it stands for. Without one it stands for nothing.
      const { content } = readShape(Block.compaction, block, path);
      return content ? [textPart(content)] : [];
    }
    // The model has all tools from the start, so the name of the one it looked for is enough.
    case "tool_reference":
      return [textPart(readShape(Block.tool_reference, block, path).tool_name)];
    default:
      throw refuse(`${path}.type`, `A chat completion cannot hold a \`${block.type}\` block.`);
  }
}

const textPart = (text: string): Part => ({ type: "text", text });

function imageOf(source: Typed, path: string): Part {
  const urlOf = (url: string): Part => ({ type: "image_url", image_url: { url } });
  if (source.type === "url") return urlOf(readShape(Source.url, source, path).url);
  if (source.type !== "base64")
    throw refuse(`${path}.type`, `Send the image itself as base64, or its URL, not \`${source.type}\`.`);
  const { media_type, data } = readShape(Source.base64, source, path);
  return urlOf(`data:${media_type};base64,${data}`);
}

function documentParts(block: Typed, path: string): Part[] {
  const { source, title, context, citations } = readShape(Block.document, block, path);
  refuseCitations(citations, path);
  const about = [title, context].flatMap((text) => (text ? [textPart(text)] : []));
  const at = `${path}.source`;
  if (source.type === "text") return [...about, textPart(readShape(Source.text, source, at).data)];
  if (source.type === "content")
    return [...about, ...partsOf(readShape(Source.content, source, at).content, `${at}.content`)];
  const reason = `Only documents of text are supported, not \`${source.type}\`. Send a PDF's text, or its pages as images.`;
  throw refuse(`${at}.type`, reason);
}

function refuseCitations(citations: z.output<typeof Block.document>["citations"], path: string): void {
  if (citations?.enabled)
    throw refuse(`${path}.citations`, "A chat completion cannot cite. Leave citations out.");
}
