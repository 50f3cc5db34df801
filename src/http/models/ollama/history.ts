import { argumentsJson, inputJson } from "../../../protocol/call-arguments.ts";
import { oneSystemMessage } from "../one-system.ts";
import { refuse } from "../refuse.ts";
import type { Message } from "./schema.ts";

type ChatMessage = Record<string, unknown>;
type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

/** A call of a tool that has no result yet. */
interface OpenCall {
  id: string;
  name: string;
}

/** Returns the messages of a chat completion. Throws `request_untranslatable` for what these cannot express. */
export function chatMessages(messages: readonly Message[]): object[] {
  const last = messages.length - 1;
  if (messages[last]?.role === "assistant") {
    const noPrefill = "A chat completion cannot continue a message: the last message must be from the user.";
    throw refuse(`messages[${last}].role`, noPrefill);
  }
  const history = new History();
  for (const [index, message] of messages.entries()) history.add(message, index);
  return oneSystemMessage(history.end());
}

/**
 * The messages so far. Ollama's calls of tools need no id, and a result names its tool or nothing, where a chat completion
 * pairs them by the id. So calls without one get one, the same in every request of the conversation, and a result
 * belongs to the first call without a result that has its id, its name, or nothing against it.
 */
class History {
  readonly #messages: ChatMessage[] = [];
  readonly #ids = new Set<string>();
  #open: OpenCall[] = [];
  /** The images of the last results, which a message of a tool cannot hold. */
  #images: Part[] = [];

  add(message: Message, index: number): void {
    const { role } = message;
    if (role !== "tool") this.#addImages();
    if (role === "tool") this.#addResult(message, index);
    else if (role === "assistant") this.#addAnswer(message, index);
    else this.#addQuestion(message, index);
  }

  #addQuestion({ role, content, images }: Message, index: number): void {
    if (images?.length && role !== "user")
      throw refuse(`messages[${index}].images`, "Only messages of users and tools can have images.");
    this.#messages.push({ role, content: contentOf(content ?? "", images, `messages[${index}].images`) });
  }

  end(): ChatMessage[] {
    this.#addImages();
    return this.#messages;
  }

  #addAnswer({ content, thinking, images, tool_calls: calls }: Message, index: number): void {
    if (images?.length) throw refuse(`messages[${index}].images`, "Only users and tools can send images.");
    this.#open = [];
    const called = (calls ?? []).map((call, at) => {
      const { name, arguments: given } = call.function;
      const id = this.#newId(call.id, `call_${index}_${at}`);
      this.#open.push({ id, name });
      const text = typeof given === "string" ? argumentsJson(given) : inputJson(given);
      return { id, type: "function", function: { name, arguments: text } };
    });
    this.#messages.push({
      role: "assistant",
      content: content || (called.length > 0 ? null : ""),
      ...(thinking && { reasoning_content: thinking }),
      ...(called.length > 0 && { tool_calls: called }),
    });
  }

  #addResult({ content, images, tool_name: name, tool_call_id: id }: Message, index: number): void {
    const call =
      this.#open.find((open) => id && open.id === id) ??
      this.#open.find((open) => name && open.name === name) ??
      (name ? undefined : this.#open[0]);
    if (!call) {
      const reason = "There is no call before it that it could be the result of.";
      throw refuse(`messages[${index}]`, reason);
    }
    this.#open = this.#open.filter((open) => open !== call);
    this.#messages.push({ role: "tool", tool_call_id: call.id, content: content ?? "" });
    this.#images.push(...imageParts(images ?? [], `messages[${index}].images`));
  }

  #newId(given: string | null | undefined, own: string): string {
    let id = given && !this.#ids.has(given) ? given : own;
    while (this.#ids.has(id)) id += "_";
    this.#ids.add(id);
    return id;
  }

  #addImages(): void {
    if (this.#images.length === 0) return;
    const label: Part = { type: "text", text: "Images from the tools:" };
    this.#messages.push({ role: "user", content: [label, ...this.#images] });
    this.#images = [];
  }
}

/**
 * Returns content without images as one string, since some upstreams take nothing else. `path` is that of the images in
 * the request.
 */
export function contentOf(
  text: string,
  images: readonly string[] | null | undefined,
  path: string,
): string | Part[] {
  if (!images?.length) return text;
  return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...imageParts(images, path)];
}

/** The beginnings of images in base64. */
const IMAGE_TYPES: readonly (readonly [start: string, type: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["Qk", "image/bmp"],
];

const BASE64 = /^[\dA-Za-z+/]+={0,2}$/;

const imageParts = (images: readonly string[], path: string): Part[] =>
  images.map((image, at) => ({
    type: "image_url",
    image_url: { url: imageUrl(image, `${path}[${at}]`) },
  }));

/** Ollama takes an image as bare base64, and looks into it for its type. Data URLs are taken too. */
function imageUrl(given: string, path: string): string {
  if (/^data:/i.test(given)) return given;
  // Encoders put line breaks anywhere.
  const image = given.replace(/[\r\n]+/g, "");
  if (!BASE64.test(image))
    throw refuse(path, "An image must be base64. The server loads no images from URLs.");
  const [, type = "image/jpeg"] = IMAGE_TYPES.find(([start]) => image.startsWith(start)) ?? [];
  return `data:${type};base64,${image}`;
}
