import { field, textField } from "../json/parse.ts";

/** The texts of a content, by what they are. */
interface ContentTexts {
  text: string;
  reasoning: string;
  refusal: string;
}

/**
 * Reads a content: a text, a part, or a list of both. Parts that are not known are left out. Mistral's
 * reasoning models send parts of the type `thinking`, which hold texts again.
 */
export function readParts(content: unknown): ContentTexts {
  const texts: ContentTexts = { text: "", reasoning: "", refusal: "" };
  for (const part of Array.isArray(content) ? content : [content]) {
    if (typeof part === "string") texts.text += part;
    else readPart(part, texts);
  }
  return texts;
}

function readPart(part: unknown, texts: ContentTexts): void {
  switch (field(part, "type") ?? "text") {
    case "text":
    case "output_text":
      texts.text += textField(part, "text") ?? "";
      break;
    case "refusal":
      texts.refusal += textField(part, "refusal") ?? "";
      break;
    case "thinking":
    case "reasoning":
    case "reasoning_text":
    case "reasoning_content":
    case "summary_text":
      texts.reasoning += reasoningText(part);
      break;
    default:
  }
}

/** The fields in which upstreams put the text of a reasoning part. The first that holds text counts. */
const REASONING_FIELDS = ["thinking", "reasoning", "text", "reasoning_content", "content", "summary"];

function reasoningText(part: unknown): string {
  for (const name of REASONING_FIELDS) {
    const text = innerText(field(part, name));
    if (text !== "") return text;
  }
  return "";
}

/** Returns the texts inside a reasoning part. They are not nested any deeper. */
function innerText(value: unknown): string {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return parts.map((part) => (typeof part === "string" ? part : (textField(part, "text") ?? ""))).join("");
}
