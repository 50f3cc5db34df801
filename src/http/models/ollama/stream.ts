import type { AppError } from "../../../errors.ts";
import type { Failure } from "../../../protocol/chat-ending.ts";
import { ollamaStyle } from "../../errors/ollama.ts";
import { type Choice, type CompletionChunk, NO_NAME } from "../chat-completion.ts";
import { CALL_GOES_ON, type Call, CallReader } from "../tool-calls.ts";
import { TranslatedStream } from "../translation.ts";
import { type AnswerOptions, lineOf, logprobsOf, metricsOf, reasonOf } from "./answer.ts";

/**
 * Makes the lines of Ollama's streams: https://docs.ollama.com/api/streaming. A call of a tool is sent whole, as Ollama
 * does, so the calls are sent when the model has ended.
 */
export class OllamaStream extends TranslatedStream {
  readonly #reader: CallReader;
  readonly #calls = new Set<Call>();
  #finishReason: string | null | undefined;
  #sentCalls = false;
  #firstAt: number | undefined;

  constructor(private readonly options: AnswerOptions) {
    super();
    this.#reader = new CallReader(options.takenIds);
  }

  protected write(chunk: CompletionChunk): string | undefined {
    // An answer has only the first of several choices.
    for (const choice of chunk.choices.filter(({ index }) => !index)) {
      const fault = this.#writeChoice(choice);
      if (fault) return fault;
    }
    return undefined;
  }

  protected finish(): string | undefined {
    const fault = this.#sendCalls();
    if (fault) return fault;
    this.#line({
      ...lineOf({}, this.options),
      done: true,
      done_reason: reasonOf(this.#finishReason),
      ...metricsOf(this.usage, this.options, this.#firstAt),
    });
    return undefined;
  }

  protected sendFailure({ message }: Failure): void {
    this.#line({ error: message });
  }

  protected sendError(error: AppError, requestId: string): void {
    this.send(ollamaStyle.streamEvent(error, requestId));
  }

  #writeChoice(choice: Choice): string | undefined {
    const { delta, message, logprobs, finish_reason: finishReason } = choice;
    const part = delta ?? message;
    const content = (part?.content ?? "") + (part?.refusal ?? "");
    const thinking = this.options.showsThinking ? part?.reasoning : undefined;
    const probabilities = logprobsOf(logprobs?.content);
    if (content || thinking || "logprobs" in probabilities)
      this.#line({ ...lineOf({ content, thinking }, this.options), ...probabilities, done: false });
    for (const { call, text } of this.#reader.read(part?.calls ?? [], !delta)) {
      if (this.#sentCalls && (text.trim() !== "" || !this.#calls.has(call))) return CALL_GOES_ON;
      this.#calls.add(call);
    }
    if (!finishReason) return undefined;
    this.#finishReason = finishReason;
    // Callers run a tool as soon as they have its call, so they need not wait for the usage.
    return this.#sendCalls();
  }

  #sendCalls(): string | undefined {
    if (this.#sentCalls || this.#calls.size === 0) return undefined;
    const calls = [...this.#calls];
    if (calls.some(({ name }) => name === "")) return NO_NAME;
    this.#sentCalls = true;
    this.#line({ ...lineOf({ calls }, this.options), done: false });
    return undefined;
  }

  #line(value: object): void {
    this.#firstAt ??= this.options.now();
    this.send({ event: "", data: JSON.stringify(value) });
  }
}
