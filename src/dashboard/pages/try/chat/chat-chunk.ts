/**
 * The content of one event of a streamed chat completion. Fields that the event does not have are missing.
 */
export interface ChatChunk {
  text?: string;
  /** The thoughts of some models before they answer. Servers use one of two names for them. */
  reasoning?: string;
  tokens?: Tokens;
  /** Why the answer ended: `stop`, `length`, … */
  finish?: string;
  /** Why the answer failed, as a text for people. */
  error?: string;
  /** Whether this is the last event. */
  isLast?: boolean;
}

export interface Tokens {
  input: number;
  output: number;
}

/** Reads the data of an event, or a complete response that was not streamed. */
export function readChunk(data: string): ChatChunk {
  if (data.trim() === "[DONE]") return { isLast: true };
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return { error: "A part of the response is not valid JSON." };
  }
  if (!isRecord(body)) return {};
  if (body["error"] !== undefined && body["error"] !== null) return { error: errorText(body["error"]) };
  const [choice] = Array.isArray(body["choices"]) ? (body["choices"] as unknown[]) : [];
  return { ...readChoice(choice), ...readTokens(body["usage"]) };
}

function readChoice(choice: unknown): ChatChunk {
  if (!isRecord(choice)) return {};
  const message = choice["delta"] ?? choice["message"];
  const { content, refusal, reasoning_content, reasoning } = isRecord(message) ? message : {};
  return {
    ...firstText("text", content, refusal),
    ...firstText("reasoning", reasoning_content, reasoning),
    ...firstText("finish", choice["finish_reason"]),
  };
}

function firstText<Name extends string>(name: Name, ...values: unknown[]): { [Key in Name]?: string } {
  const text = values.find((value) => typeof value === "string" && value !== "");
  return (text === undefined ? {} : { [name]: text }) as { [Key in Name]?: string };
}

function readTokens(usage: unknown): ChatChunk {
  if (!isRecord(usage)) return {};
  const { prompt_tokens: input, completion_tokens: output } = usage;
  return typeof input === "number" && typeof output === "number" ? { tokens: { input, output } } : {};
}

function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  const message = isRecord(error) ? error["message"] : undefined;
  return typeof message === "string" && message !== "" ? message : "The request failed.";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
