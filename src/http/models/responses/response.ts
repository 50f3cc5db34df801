import type { Usage } from "../chunk.ts";
import type { OutputItem } from "./items.ts";
import type { ResponsesBody } from "./schema.ts";
import type { Tools } from "./tools.ts";

/** Returns the fields of the request that the response repeats. They are the same in every event. */
export function responseEcho(body: ResponsesBody, tools: Tools, id: string, createdAtS: number) {
  return {
    id,
    object: "response",
    created_at: createdAtS,
    model: body.model,
    background: false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body["max_tool_calls"] ?? null,
    metadata: body["metadata"] ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: body["prompt_cache_key"] ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.["summary"] ?? null },
    safety_identifier: body["safety_identifier"] ?? null,
    service_tier: null,
    store: false,
    temperature: body.temperature ?? null,
    text: { ...body.text, format: body.text?.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: tools.offered,
    top_logprobs: body.top_logprobs ?? null,
    top_p: body.top_p ?? null,
    truncation: "disabled",
    ...(typeof body.user === "string" && { user: body.user }),
  };
}

/** The fields of a response that change while it is made. */
export interface ResponseState {
  status: "in_progress" | "completed" | "incomplete" | "failed";
  completed_at: number | null;
  error: { code: string; message: string } | null;
  incomplete_details: { reason: string } | null;
  output: OutputItem[];
  usage: ReturnType<typeof responseUsage>;
}

/** Returns null if the upstream sent no usage. The details must be numbers, so missing ones are 0. */
export function responseUsage(usage: Usage | null | undefined) {
  if (!usage) return null;
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: { cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0 },
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0 },
    total_tokens: usage.total_tokens ?? usage.prompt_tokens + usage.completion_tokens,
  };
}

/** Returns why the model was stopped before it had finished, or undefined if it was not. */
export function incompleteReason(finishReason: string | undefined): string | undefined {
  if (finishReason === "length") return "max_output_tokens";
  return finishReason === "content_filter" ? "content_filter" : undefined;
}
