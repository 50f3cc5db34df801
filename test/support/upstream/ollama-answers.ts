/** A message of either API, as far as the answers depend on it. */
export interface AskedMessage {
  role: string;
  text: string;
  /** The images in base64. */
  images: readonly string[];
  /** The name of the tool that a result belongs to. */
  tool?: string | undefined;
}

export interface AskedChat {
  model: string;
  messages: readonly AskedMessage[];
  /** The names of the tools. */
  tools: readonly string[];
  hasFormat: boolean;
  thinks: boolean;
}

export interface MadeAnswer {
  thinking: string;
  text: string;
  calls: readonly { name: string; arguments: object }[];
  inputTokens: number;
  outputTokens: number;
}

export const OLLAMA_MODELS = ["tiny:latest", "thinker:latest"] as const;
export const THOUGHT = "They want an answer.";

/**
 * Answers the last message: two calls if there are tools, the results with the names of their tools after calls, JSON if
 * there is a format, the number of images, or else the question. Tokens are words.
 */
export function answerAsOllama({ model, messages, tools, hasFormat, thinks }: AskedChat): MadeAnswer {
  const last = messages.at(-1);
  const results = messages.slice(messages.findLastIndex(({ role }) => role === "assistant") + 1);
  const images = messages.flatMap((message) => message.images);
  const isResult = last?.role === "tool";
  const calls =
    tools.length > 0 && !isResult
      ? ["Paris", "Rome"].map((city, index) => ({
          name: tools[index % tools.length] ?? "",
          arguments: { city },
        }))
      : [];
  const text = isResult
    ? results.map((result) => `${result.tool}: ${result.text}`).join(", ")
    : hasFormat
      ? JSON.stringify({ question: last?.text })
      : images.length > 0
        ? `Images: ${images.map((image) => image.length).join(", ")}`
        : `You said: ${last?.text}`;
  return {
    thinking: thinks && model.startsWith("thinker") ? THOUGHT : "",
    text: calls.length > 0 ? "" : text,
    calls,
    inputTokens: words(messages.map((message) => message.text).join(" ")),
    outputTokens: Math.max(1, words(text)),
  };
}

export const words = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/** Returns a text in pieces, which together are the text. */
export const piecesOf = (text: string): string[] => text.match(/\S+\s*|\s+/g) ?? [];

/** Returns the vector of a text. */
export const vectorOf = (text: string): number[] => [text.length, words(text), 0.5];
