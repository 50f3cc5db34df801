/** What one event of a streamed chat completion says; what it does not say is missing. */
export interface ChatChunk {
  text?: string;
  /** What some models think before they answer, under the two names that servers give it. */
  reasoning?: string;
  tokens?: Tokens;
  /** Why the answer ended: `stop`, `length`, … */
  finish?: string;
  /** The answer has failed: a text for people. */
  error?: string;
  /** Nothing comes after it. */
  isLast?: boolean;
}

export interface Tokens {
  prompt: number;
  completion: number;
}

/** Of the data of an event, or of a whole answer that was not streamed. */
export function readChunk(data: string): ChatChunk {
  if (data.trim() === "[DONE]") return { isLast: true };
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return { error: "A part of the answer is no JSON." };
  }
  if (!isRecord(body)) return {};
  if (body["error"] !== undefined && body["error"] !== null) return { error: errorText(body["error"]) };
  const [choice] = Array.isArray(body["choices"]) ? (body["choices"] as unknown[]) : [];
  return { ...readChoice(choice), ...readTokens(body["usage"]) };
}

function readChoice(choice: unknown): ChatChunk {
  if (!isRecord(choice)) return {};
  const said = choice["delta"] ?? choice["message"];
  const { content, refusal, reasoning_content, reasoning } = isRecord(said) ? said : {};
  return {
    ...whenText("text", content, refusal),
    ...whenText("reasoning", reasoning_content, reasoning),
    ...whenText("finish", choice["finish_reason"]),
  };
}

function whenText<Name extends string>(name: Name, ...values: unknown[]): { [Key in Name]?: string } {
  const text = values.find((value) => typeof value === "string" && value !== "");
  return (text === undefined ? {} : { [name]: text }) as { [Key in Name]?: string };
}

function readTokens(usage: unknown): ChatChunk {
  if (!isRecord(usage)) return {};
  const { prompt_tokens: prompt, completion_tokens: completion } = usage;
  return typeof prompt === "number" && typeof completion === "number"
    ? { tokens: { prompt, completion } }
    : {};
}

function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  const message = isRecord(error) ? error["message"] : undefined;
  return typeof message === "string" && message !== "" ? message : "The answer failed.";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
