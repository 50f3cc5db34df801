import type { AppError } from "../../../errors.ts";
import type { Usage } from "../../../protocol/agent-v2.ts";
import type { Failure } from "../../../protocol/chat-ending.ts";
import { endingOf } from "../../../protocol/chat-ending.ts";
import { openaiError } from "../../errors/openai.ts";
import { type CompletionChunk, readCompletion } from "../chat-completion.ts";
import { TranslatedStream, type TranslationContext } from "../translation.ts";
import { Output } from "./output.ts";
import { conversationIdOf, type ResponsesBody } from "./schema.ts";
import type { Tools } from "./tools.ts";

interface StreamContext extends TranslationContext {
  /** Whether the response is kept. */
  isKept: boolean;
  /** The ids of the conversation's earlier tool calls. */
  takenIds: ReadonlySet<string>;
}

/** A response that is made from a chat completion, streamed or whole. */
export class ResponsesStream extends TranslatedStream {
  /** The fields that the response repeats of the request. */
  readonly #echo: ReturnType<typeof responseEcho>;
  readonly #output: Output;
  readonly #nowS: () => number;
  #sequence = 0;
  #isStarted = false;
  #finishReason: string | undefined;

  constructor(body: ResponsesBody, tools: Tools, { newId, now, isKept, takenIds }: StreamContext) {
    super();
    this.#nowS = () => Math.floor(now() / 1000);
    this.#echo = responseEcho(body, tools, {
      id: `resp_${newId()}`,
      created_at: this.#nowS(),
      previous_response_id: body.previous_response_id ?? null,
      store: isKept,
    });
    this.#output = new Output(tools, newId, (type, fields) => this.#emit(type, fields), takenIds);
  }

  /** Returns the response that a whole chat completion makes. */
  whole(chatBody: string): Record<string, unknown> {
    const { value, completion } = readCompletion(chatBody);
    this.noteUsage(value);
    this.write(completion);
    return this.#finished();
  }

  protected write(chunk: CompletionChunk): string | undefined {
    if (chunk.model) this.#echo.model = chunk.model;
    this.#start();
    // A response has only the first of several choices.
    for (const choice of chunk.choices.filter(({ index }) => !index)) {
      const fault = this.#output.write(choice);
      if (fault) return fault;
      if (!choice.finish_reason) continue;
      this.#finishReason = choice.finish_reason;
      this.#output.close(incompleteReason(choice.finish_reason) === undefined);
    }
    return undefined;
  }

  protected finish(): string | undefined {
    this.#start();
    const fault = this.#output.fault();
    if (!fault) this.#emitResponse(this.#finished());
    return fault;
  }

  protected sendFailure({ message, type, code }: Failure): void {
    // Codex CLI reads failures from no other event, and the official package wants a response before it.
    this.#start();
    // Codex CLI decides by the code. Upstreams without codes put it into the type.
    const error = { code: typeof code === "string" ? code : (type ?? "server_error"), message };
    for (const item of this.#output.items) if (item.status === "in_progress") item.status = "incomplete";
    const usage = responseUsage(this.usage);
    this.#emitResponse(this.#response("failed", { error, usage }));
  }

  protected sendError(error: AppError, requestId: string): void {
    const { message, code } = openaiError(error, requestId);
    this.sendFailure({ message, code });
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const response = this.#response("in_progress");
    this.#emit("response.created", { response });
    this.#emitResponse(response);
  }

  /** Closes the open items, and returns the whole response. */
  #finished() {
    const reason = incompleteReason(this.#finishReason);
    this.#output.close(reason === undefined);
    const usage = responseUsage(this.usage);
    if (reason) return this.#response("incomplete", { incomplete_details: { reason }, usage });
    return this.#response("completed", { completed_at: this.#nowS(), usage });
  }

  /** Returns the response as it is now, with the fields that its status changes. */
  #response(status: string, changes: Record<string, unknown> = {}) {
    const unchanged = { completed_at: null, error: null, incomplete_details: null };
    return { ...this.#echo, status, ...unchanged, output: this.#output.items, usage: null, ...changes };
  }

  #emitResponse(response: { status: string }): void {
    this.#emit(`response.${response.status}`, { response });
  }

  #emit(type: string, fields: Record<string, unknown>): void {
    this.send({ event: type, data: JSON.stringify({ type, sequence_number: this.#sequence, ...fields }) });
    this.#sequence += 1;
  }
}

/** Returns the fields of the request that the response repeats. They are the same in every event. */
function responseEcho(
  body: ResponsesBody,
  tools: Tools,
  own: { id: string; created_at: number; previous_response_id: string | null; store: boolean },
) {
  return {
    object: "response",
    ...own,
    model: body.model,
    background: false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body["max_tool_calls"] ?? null,
    metadata: body["metadata"] ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    prompt_cache_key: body["prompt_cache_key"] ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.["summary"] ?? null },
    safety_identifier: body["safety_identifier"] ?? null,
    service_tier: null,
    temperature: body.temperature ?? null,
    text: { ...body.text, format: body.text?.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: tools.offered,
    top_logprobs: body.top_logprobs ?? null,
    top_p: body.top_p ?? null,
    truncation: "disabled",
    ...(typeof body.user === "string" && { user: body.user }),
    ...conversationOf(body),
  };
}

function conversationOf(body: ResponsesBody) {
  const id = conversationIdOf(body);
  return id === undefined ? {} : { conversation: { id } };
}

/** Returns null if the upstream sent no usage. The details must be numbers, so missing ones are 0. */
function responseUsage(usage: Usage | undefined) {
  if (!usage) return null;
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: { cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0 },
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0 },
    total_tokens: usage.prompt_tokens + usage.completion_tokens,
  };
}

/**
 * Returns why the model was stopped before it had finished, or undefined if it was not. A response is
 * `incomplete` for `length` and `content_filter`, and `completed` for `stop`, for calls, and if there is no
 * reason at all, as some upstreams give none. With `error` or a reason that is not known it is `failed`
 * (`endingFault`), and never comes here.
 */
function incompleteReason(finishReason: string | undefined): string | undefined {
  const ending = endingOf(finishReason);
  if (ending === "length") return "max_output_tokens";
  return ending === "content_filter" ? "content_filter" : undefined;
}
