import { read, refuse } from "../refuse.ts";
import { Block, type Content, Source, type Typed } from "./schema.ts";

export type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

/** The blocks of a content with the path of each; a bare string is one block of text. */
export function blocksOf(content: Content, path: string): { block: Typed; path: string }[] {
  if (typeof content === "string") return [{ block: { type: "text", text: content }, path }];
  return content.map((block, index) => ({ block, path: `${path}[${index}]` }));
}

/** What a user, or a tool, may show to the model. */
export function partsOf(content: Content, path: string): Part[] {
  return blocksOf(content, path).flatMap(({ block, path: at }) => partsOfBlock(block, at));
}

/**
 * Text alone as one string, as there are upstreams that take nothing else. The blocks are put on lines of
 * their own, as vLLM does with text parts.
 */
export function chatContent(parts: readonly Part[]): string | readonly Part[] {
  return parts.some(({ type }) => type === "image_url") ? parts : textOf(parts);
}

export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

/** The text of a content that may hold nothing but text. */
export function onlyText(content: Content, path: string): string {
  const texts = blocksOf(content, path).map(({ block, path: at }) => {
    if (block.type !== "text") throw refuse(`${at}.type`, `${block.type}: there can only be text here.`);
    return read(Block.text, block, at).text;
  });
  return texts.join("\n");
}

export function partsOfBlock(block: Typed, path: string): Part[] {
  switch (block.type) {
    case "text":
      return [textPart(read(Block.text, block, path).text)];
    case "image":
      return [imageOf(read(Block.image, block, path).source, `${path}.source`)];
    case "document":
      return documentParts(block, path);
    case "search_result": {
      const { source, title, content, citations } = read(Block.search_result, block, path);
      refuseCitations(citations, path);
      return [textPart(`${title}\n${source}`), ...partsOf(content, `${path}.content`)];
    }
    // All tools are given to the model from the start, so that the name of the one it looked for is enough.
    case "tool_reference":
      return [textPart(read(Block.tool_reference, block, path).tool_name)];
    default:
      throw refuse(`${path}.type`, `${block.type}: a chat completion has nothing for blocks of this type.`);
  }
}

const textPart = (text: string): Part => ({ type: "text", text });

function imageOf(source: Typed, path: string): Part {
  switch (source.type) {
    case "base64": {
      const { media_type, data } = read(Source.base64, source, path);
      return { type: "image_url", image_url: { url: `data:${media_type};base64,${data}` } };
    }
    case "url":
      return { type: "image_url", image_url: { url: read(Source.url, source, path).url } };
    default:
      throw refuse(`${path}.type`, `${source.type}: send the image itself as base64, or its url.`);
  }
}

function documentParts(block: Typed, path: string): Part[] {
  const { source, title, context, citations } = read(Block.document, block, path);
  refuseCitations(citations, path);
  const about = [title, context].flatMap((text) => (text ? [textPart(text)] : []));
  const at = `${path}.source`;
  switch (source.type) {
    case "text":
      return [...about, textPart(read(Source.text, source, at).data)];
    case "content":
      return [...about, ...partsOf(read(Source.content, source, at).content, `${at}.content`)];
    default:
      throw refuse(
        `${at}.type`,
        `${source.type}: only documents of text can be sent. Send a PDF's text, or its pages as images.`,
      );
  }
}

function refuseCitations(
  citations: { enabled?: boolean | null | undefined } | null | undefined,
  path: string,
) {
  if (citations?.enabled) {
    throw refuse(`${path}.citations`, "A chat completion cannot cite: leave citations out.");
  }
}
