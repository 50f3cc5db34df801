import { z } from "zod";

const Content = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
const Message = z.looseObject({ role: z.string().optional(), content: Content.nullish() });
const number = z.number().nonnegative().optional();

/** The parameters of the behaviours; each row of `BEHAVIOURS` says which ones it uses. */
const Parameters = z.object({
  delay_ms: number,
  chunks: number,
  seed: number,
  size: number,
  status: number,
  times: number,
  key: z.string().optional(),
});
type Parameters = z.output<typeof Parameters>;

const Body = z.object({
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  messages: z.array(Message).optional(),
  input: z.union([z.string(), z.array(z.union([z.string(), Message]))]).optional(),
  encoding_format: z.string().nullish(),
});

export interface UpstreamRequest {
  model: string;
  stream: boolean;
  includeUsage: boolean;
  /** The text of the last user message. */
  question: string;
  /** The messages, unchanged. */
  messages: unknown;
  /** The input of `embeddings`. */
  texts: readonly string[];
  asBase64: boolean;
  /** The same for equal bodies. */
  id: string;
  parameters: Parameters;
}

function textOf(content: z.output<typeof Content> | null | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads the parameters from the body, or from a question that is a JSON object, as some callers only send
 * text.
 */
function parametersOf(body: unknown, question: string): Parameters {
  const inQuestion = Parameters.safeParse(parseObject(question));
  return { ...(inQuestion.success ? inQuestion.data : {}), ...Parameters.parse(body) };
}

/** Parses a request; throws the reason if it is invalid. */
export function readRequest(text: string): UpstreamRequest {
  const json: unknown = JSON.parse(text);
  const body = Body.parse(json);
  const input = body.input ?? [];
  const inputs = typeof input === "string" ? [input] : input;
  const messages =
    body.messages ?? inputs.map((item) => (typeof item === "string" ? { content: item } : item));
  const asked = messages.findLast((message) => (message.role ?? "user") === "user");
  const question = textOf(asked?.content);
  return {
    model: body.model,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    question,
    messages: (json as Record<string, unknown>)[body.messages ? "messages" : "input"],
    texts: inputs.map((item) => (typeof item === "string" ? item : textOf(item.content))),
    asBase64: body.encoding_format === "base64",
    id: Bun.hash(text).toString(36),
    parameters: parametersOf(json, question),
  };
}
