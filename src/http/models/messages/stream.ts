import type { AppError } from "../../../errors.ts";
import type { Failure } from "../../../protocol/chat-ending.ts";
import { anthropicErrorBody, anthropicErrorEvent, anthropicTypeNamed } from "../../errors/anthropic.ts";
import { type Choice, type CompletionChunk, NO_NAME } from "../chat-completion.ts";
import { CALL_GOES_ON } from "../tool-calls.ts";
import { TranslatedStream } from "../translation.ts";
import {
  type Ending,
  emptyMessage,
  endingFields,
  type MessageOptions,
  messagesUsage,
  stopSequenceOf,
} from "./answer.ts";
import { Blocks } from "./blocks.ts";

/**
 * Makes the events of https://platform.claude.com/docs/en/build-with-claude/streaming. `message_start` has the
 * usage that the upstream reports with its first chunk. Most report it last: then zeros stand there, and the
 * counts are in the last event but one. Arguments of tools are passed on as they come. If they are not JSON, the
 * caller's SDK finds out when the call is complete.
 */
export class MessagesStream extends TranslatedStream {
  readonly #blocks: Blocks;
  #isStarted = false;
  readonly #ending: Omit<Ending, "called"> = { finishReason: null, refused: false, stopSequence: undefined };

  constructor(private readonly options: MessageOptions) {
    super();
    const { newId, nameOf, takenIds } = options;
    this.#blocks = new Blocks(newId, nameOf, (type, fields) => this.#emit(type, fields), takenIds);
  }

  protected write(chunk: CompletionChunk, value: unknown): string | undefined {
    this.#start(chunk.model || this.options.model);
    // A message has only the first of several choices.
    for (const choice of chunk.choices.filter(({ index }) => !index)) {
      if ((choice.delta ?? choice.message)?.refusal) this.#ending.refused = true;
      const fault = this.#writeChoice(choice);
      if (fault) return fault;
      if (!choice.finish_reason) continue;
      this.#ending.finishReason = choice.finish_reason;
      this.#ending.stopSequence = stopSequenceOf(value, this.options.stopSequences);
    }
    return undefined;
  }

  protected finish(): string | undefined {
    this.#start(this.options.model);
    if (!this.#blocks.close()) return NO_NAME;
    const delta = endingFields({ ...this.#ending, called: this.#blocks.hasCalls() });
    this.#emit("message_delta", { delta, usage: messagesUsage(this.usage) });
    this.#emit("message_stop", {});
    return undefined;
  }

  protected sendFailure({ message, type, code }: Failure): void {
    const name = anthropicTypeNamed(type, typeof code === "string" ? code : undefined) ?? "api_error";
    this.#emit("error", anthropicErrorBody({ type: name, message }));
  }

  protected sendError(error: AppError, requestId: string): void {
    this.send(anthropicErrorEvent(error, requestId));
  }

  #writeChoice({ delta, message, finish_reason: finishReason }: Choice): string | undefined {
    const part = delta ?? message;
    if (part?.reasoning && this.options.showsThinking) this.#blocks.write("thinking", part.reasoning);
    if (part?.content) this.#blocks.write("text", part.content);
    if (part?.refusal) this.#blocks.write("text", part.refusal);
    if (part && !this.#blocks.call(part.calls, !delta)) return CALL_GOES_ON;
    // Callers run a tool as soon as its block is complete, so they need not wait for the usage.
    return finishReason && !this.#blocks.close() ? NO_NAME : undefined;
  }

  #start(model: string): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#emit("message_start", { message: emptyMessage(this.options.id, model, this.usage) });
  }

  #emit(type: string, fields: Record<string, unknown>): void {
    this.send({ event: type, data: JSON.stringify({ type, ...fields }) });
  }
}
