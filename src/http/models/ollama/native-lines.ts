import { AppError } from "../../../errors.ts";
import { field, parseJson } from "../../../json/parse.ts";
import { failureOf, NO_ANSWER } from "../../../protocol/chat-ending.ts";
import { StreamEnd } from "../../../protocol/stream-end.ts";
import type { Delta } from "../../../relay/types.ts";
import type { ErrorStyle } from "../../errors/style.ts";
import type { ServerEvent } from "../../middleware/event-stream.ts";
import type { PlanStream } from "../plan.ts";

const NOT_OLLAMA = "The agent's upstream sent something that is not an answer of Ollama's API.";
const ENDED_EARLY = "the upstream ended its answer early";

/**
 * Passes the lines of an Ollama on as they come. Clients parse each line and stop at the first that is not JSON, so one
 * that is not an object of Ollama's API fails the answer. An `error` that is not a text becomes one. Nothing follows a
 * failure or the last line, after which clients stop to read.
 */
export class NativeLines implements PlanStream {
  readonly #end = new StreamEnd();
  #hasBegun = false;
  #hasFailed = false;

  constructor(private readonly style: ErrorStyle) {}

  push({ data }: Delta): ServerEvent[] {
    if (this.#isOver || data === "") return [];
    const line = parseJson(data);
    if (!isOllamaObject(line)) return this.#fail(NOT_OLLAMA);
    this.#hasBegun = true;
    this.#end.note(data);
    const error = field(line, "error");
    return !error || typeof error === "string"
      ? [{ event: "", data }]
      : this.#fail(failureOf(line)?.message ?? NOT_OLLAMA);
  }

  end(): ServerEvent[] {
    if (this.#isOver) return [];
    throw new AppError("agent_failed", { extra: { err: this.#hasBegun ? ENDED_EARLY : NO_ANSWER } });
  }

  fail(error: AppError, requestId: string): ServerEvent[] {
    return this.#isOver ? [] : [this.style.streamEvent(error, requestId)];
  }

  get #isOver(): boolean {
    return this.#hasFailed || this.#end.complete;
  }

  #fail(error: string): ServerEvent[] {
    this.#hasFailed = true;
    return [{ event: "", data: JSON.stringify({ error }) }];
  }
}

/** Throws an `AppError` for a whole answer that is not one of Ollama's API. */
export function checkNativeAnswer(endpoint: string, body: string): void {
  if (endpoint === "api/embed" ? VECTORS.test(body) : isWhole(parseJson(body))) return;
  throw new AppError("agent_answer_invalid", { hint: NOT_OLLAMA });
}

/** A list of lists. There may be a million numbers in them, so they are not parsed. */
const VECTORS = /"embeddings"\s*:\s*\[\s*[[\]]/;

const isWhole = (value: unknown): boolean => isOllamaObject(value) && field(value, "done") === true;

const isOllamaObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("choices" in value);
