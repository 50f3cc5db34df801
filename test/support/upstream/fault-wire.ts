import { errorBody } from "./fault-behaviours.ts";
import { wordsOf } from "./fault-content.ts";
import type { UpstreamRequest } from "./fault-request.ts";

/** The format of an endpoint's answers: each method but `whole` returns a whole server-sent event. */
export interface Wire {
  start(): string;
  piece(text: string): string;
  end(answer: string): string;
  error(): string;
  /** Returns an answer that is not streamed. */
  whole(answer: string): string;
}

const CREATED = 1_700_000_000;
const event = (data: object | string, name?: string) =>
  `${name ? `event: ${name}\n` : ""}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
const inBandError = event(errorBody("The model failed", "server_error", "model_failed"));

/** Counts words as tokens. */
export function usageOf(question: string, answer: string) {
  const [prompt, completion] = [question, answer].map((text) => wordsOf(text.trim()).length);
  return { prompt: prompt ?? 0, completion: completion ?? 0 };
}

function chatUsage(request: UpstreamRequest, answer: string) {
  const { prompt, completion } = usageOf(request.question, answer);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

export function chatWire(request: UpstreamRequest): Wire {
  const { id, model, includeUsage } = request;
  const base = { id: `chatcmpl-${id}`, created: CREATED, model };
  const chunk = (delta: object, finish_reason: string | null = null) =>
    event({
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason }],
      ...(includeUsage && { usage: null }),
    });
  return {
    start: () => chunk({ role: "assistant", content: "" }),
    piece: (content) => chunk({ content }),
    end: (answer) => {
      const usage = {
        ...base,
        object: "chat.completion.chunk",
        choices: [],
        usage: chatUsage(request, answer),
      };
      return chunk({}, "stop") + (includeUsage ? event(usage) : "") + event("[DONE]");
    },
    error: () => inBandError,
    whole: (content) =>
      JSON.stringify({
        ...base,
        object: "chat.completion",
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: chatUsage(request, content),
      }),
  };
}

export function responsesWire(request: UpstreamRequest): Wire {
  const base = { id: `resp_${request.id}`, object: "response", created_at: CREATED, model: request.model };
  const item = { id: `msg_${request.id}`, type: "message", role: "assistant" };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  let sequence_number = 0;
  const numbered = (type: string, fields: object) =>
    event({ type, sequence_number: sequence_number++, ...fields }, type);
  const completed = (text: string) => {
    const { prompt, completion } = usageOf(request.question, text);
    const usage = { input_tokens: prompt, output_tokens: completion, total_tokens: prompt + completion };
    const content = [{ type: "output_text", text, annotations: [] }];
    return { ...base, status: "completed", output: [{ ...item, status: "completed", content }], usage };
  };
  return {
    start: () => numbered("response.created", { response: { ...base, status: "in_progress", output: [] } }),
    piece: (delta) => numbered("response.output_text.delta", { ...place, delta }),
    end: (text) =>
      numbered("response.output_text.done", { ...place, text }) +
      numbered("response.completed", { response: completed(text) }),
    error: () => inBandError,
    whole: (text) => JSON.stringify(completed(text)),
  };
}
