import type { ServerEvent } from "../../middleware/event-stream.ts";
import type { CompletionChunk, Usage } from "../chunk.ts";
import type { TranslationContext } from "../translation.ts";
import { createOutput } from "./output.ts";
import { incompleteReason, type ResponseState, responseEcho, responseUsage } from "./response.ts";
import type { ResponsesBody } from "./schema.ts";
import type { Tools } from "./tools.ts";

export interface Failure {
  message: string;
  code: string | null;
}

/** A response that is made from a chat completion, streamed or whole. */
export interface Answer {
  write(chunk: CompletionChunk): void;
  /** The answer is complete. */
  finish(): void;
  fail(failure: Failure): void;
  /** Returns whether nothing can follow. */
  ended(): boolean;
  /** Returns the response as it is now. */
  response(): Record<string, unknown>;
  /** Returns the events since the last call. */
  take(): ServerEvent[];
}

export function createAnswer(body: ResponsesBody, tools: Tools, { newId, now }: TranslationContext): Answer {
  const nowS = () => Math.floor(now() / 1000);
  const echo = responseEcho(body, tools, `resp_${newId()}`, nowS());
  let events: ServerEvent[] = [];
  let sequence = 0;
  let started = false;
  let finishReason: string | undefined;
  let usage: Usage | undefined;
  const emit = (type: string, fields: Record<string, unknown>) => {
    events.push({ event: type, data: JSON.stringify({ type, sequence_number: sequence, ...fields }) });
    sequence += 1;
  };
  const output = createOutput(tools, newId, emit);
  const state: ResponseState = {
    status: "in_progress",
    completed_at: null,
    error: null,
    incomplete_details: null,
    output: output.items,
    usage: null,
  };
  const response = () => ({ ...echo, ...state });
  const emitResponse = (type: string) => emit(type, { response: response() });
  const start = () => {
    if (started) return;
    started = true;
    emitResponse("response.created");
    emitResponse("response.in_progress");
  };
  return {
    write(chunk) {
      if (chunk.model) echo.model = chunk.model;
      start();
      usage = chunk.usage ?? usage;
      for (const choice of chunk.choices) {
        // A response has only the first of several choices.
        if ((choice.index ?? 0) !== 0) continue;
        output.write(choice);
        if (!choice.finish_reason) continue;
        finishReason = choice.finish_reason;
        output.close(incompleteReason(finishReason) === undefined);
      }
    },
    finish() {
      start();
      const reason = incompleteReason(finishReason);
      output.close(reason === undefined);
      state.status = reason === undefined ? "completed" : "incomplete";
      if (reason === undefined) state.completed_at = nowS();
      else state.incomplete_details = { reason };
      state.usage = responseUsage(usage);
      emitResponse(`response.${state.status}`);
    },
    fail({ message, code }) {
      const error = { code: code ?? "server_error", message };
      state.status = "failed";
      state.error = error;
      state.usage = responseUsage(usage);
      for (const item of output.items) if (item.status === "in_progress") item.status = "incomplete";
      if (started) emitResponse("response.failed");
      else emit("error", { ...error, param: null });
    },
    ended: () => state.status !== "in_progress",
    response,
    take() {
      const taken = events;
      events = [];
      return taken;
    },
  };
}
