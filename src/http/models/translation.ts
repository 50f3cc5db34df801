import type { AppError } from "../../errors.ts";
import { parseJson } from "../../json/parse.ts";
import type { AddedField } from "../../protocol/added-fields.ts";
import type { COUNT_ENDPOINT, Usage } from "../../protocol/agent-v2.ts";
import { CHAT_STREAM_END, isPing } from "../../protocol/chat.ts";
import { endingFault, type Failure, failureOf, NO_ANSWER, strangeData } from "../../protocol/chat-ending.ts";
import { UsageReader } from "../../protocol/token-usage.ts";
import type { Delta, ModelRequest } from "../../relay/types.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { withoutAdded } from "./added-fields.ts";
import { type CompletionChunk, readChunk } from "./chat-completion.ts";
import { FALLBACK_LISTS } from "./names/fallbacks.ts";
import type { AnswerReader, Plan, PlanStream } from "./plan.ts";
import type { OwnResponses } from "./responses/memory.ts";

/**
 * A request of another API (`/v1/responses`, `/v1/messages`) as a chat completion, for agents whose upstream
 * has only chat completions, and its answer as the caller expects it. Pure: it has neither a clock nor ids of
 * its own.
 */
export interface Translation extends AnswerReader {
  /** The endpoint, if it is not that of chat completions. Then the request is for that one. */
  endpoint?: "completions" | "embeddings" | typeof COUNT_ENDPOINT;
  /** The body of the chat completion. */
  request: Record<string, unknown>;
  /** Its fields that may be taken back. */
  added: readonly AddedField[];
}

/** The sources of a translation's ids and times, and of the answers that its caller refers to. */
export interface TranslationContext {
  newId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The caller's earlier responses, if any are kept. */
  responses?: OwnResponses | undefined;
}

/** JSON leaves out what is undefined. */
const NO_LISTS = { models: undefined, fallbacks: undefined };

/** Returns the plan that asks for a chat completion and translates its answer. */
export function translatedPlan(
  translation: Translation,
  stream: boolean,
  passesLists: (model: string) => boolean,
): Plan {
  const { request: fields, added } = translation;
  const body: ModelRequest["body"] = (model, refused) => {
    const kept = refused.size === 0 ? fields : withoutAdded(fields, refused);
    return JSON.stringify({ ...kept, ...(!passesLists(model) && NO_LISTS), model });
  };
  const lists = FALLBACK_LISTS.filter((list) => list in fields);
  const { endpoint = "chat/completions" } = translation;
  const request: ModelRequest = { endpoint, stream, added: [...added, ...lists], body };
  return { ...translation, isNative: false, request };
}

/** Returns the fields of a chat completion that say whether it is streamed. */
export function streamFields(stream: boolean | null | undefined): Record<string, unknown> {
  return stream ? { stream: true, stream_options: { include_usage: true } } : { stream: false };
}

/** Returns the fields that have a value. */
export function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}

/**
 * Reads the events of a streamed chat completion, `[DONE]` included, and collects the caller's events. Pings
 * are left out. Other data that is not a chunk, an error in a chunk, and a finish reason that is not known are
 * failures. Nothing follows a failure or the end.
 */
export abstract class TranslatedStream implements PlanStream {
  readonly #events: ServerEvent[] = [];
  readonly #usage = new UsageReader();
  #isEnded = false;
  #hasChoice = false;

  /** Returns what is wrong with the chunk, if anything. `value` is the chunk as the upstream sent it. */
  protected abstract write(chunk: CompletionChunk, value: unknown): string | undefined;
  /** Sends the last events of a good answer. Returns what is wrong with the answer, if anything. */
  protected abstract finish(): string | undefined;
  /** Sends the last events of an answer that the upstream has failed to give. */
  protected abstract sendFailure(failure: Failure): void;
  /** Sends the last events of an answer that the server has failed to get. */
  protected abstract sendError(error: AppError, requestId: string): void;

  push({ data, event }: Delta): ServerEvent[] {
    if (this.#isEnded) return [];
    if (data === CHAT_STREAM_END) return this.end();
    const value = parseJson(data);
    if (isPing(event, value)) return [];
    this.noteUsage(value);
    const chunk = readChunk(value);
    const reason = chunk?.choices.find(({ index }) => !index)?.finish_reason;
    // A failed upstream may send both, and a chunk with an error does not continue the answer.
    const failure = failureOf(value) ?? endingFault(reason);
    this.#hasChoice ||= chunk !== undefined && chunk.choices.length > 0;
    if (failure) this.#fail(failure);
    else if (chunk) this.#failIf(this.write(chunk, value));
    else this.#fail(strangeData(value));
    return this.#events.splice(0);
  }

  end(): ServerEvent[] {
    if (!this.#isEnded) this.#failIf(this.#hasChoice ? this.finish() : NO_ANSWER);
    this.#isEnded = true;
    return this.#events.splice(0);
  }

  fail(error: AppError, requestId: string): ServerEvent[] {
    if (!this.#isEnded) this.sendError(error, requestId);
    this.#isEnded = true;
    return this.#events.splice(0);
  }

  /** The usage that the upstream has reported so far. */
  protected get usage(): Usage | undefined {
    return this.#usage.usage;
  }

  /** Reads the usage of a chunk, or of a whole chat completion. */
  protected noteUsage(value: unknown): void {
    this.#usage.note(value);
  }

  protected send(event: ServerEvent): void {
    this.#events.push(event);
  }

  #failIf(fault: string | undefined): void {
    if (fault !== undefined) this.#fail({ message: fault });
  }

  #fail(failure: Failure): void {
    this.sendFailure(failure);
    this.#isEnded = true;
  }
}
