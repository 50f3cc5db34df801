import { AppError } from "../../../errors.ts";
import { field, parseJson } from "../../../json/parse.ts";
import { NO_ANSWER } from "../../../protocol/chat-ending.ts";
import { StreamEnd } from "../../../protocol/stream-end.ts";
import type { Delta } from "../../../relay/types.ts";
import type { ErrorStyle } from "../../errors/style.ts";
import type { ServerEvent } from "../../middleware/event-stream.ts";
import type { PlanStream } from "../plan.ts";

/** The lines of an Ollama, passed on as they come. */
export class NativeLines implements PlanStream {
  readonly #end = new StreamEnd();
  #hasBegun = false;

  constructor(private readonly style: ErrorStyle) {}

  push({ data }: Delta): ServerEvent[] {
    // Nothing follows the last line, after which clients stop to read.
    if (this.#end.complete) return [];
    this.#end.note(data);
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (isFirst && field(parseJson(data), "choices") !== undefined)
      throw new AppError("agent_answer_invalid", {
        hint: "The agent's upstream sent no line of Ollama's API.",
      });
    return [{ event: "", data }];
  }

  end(): ServerEvent[] {
    if (this.#end.complete) return [];
    throw new AppError("agent_failed", { extra: { err: NO_ANSWER } });
  }

  fail(error: AppError, requestId: string): ServerEvent[] {
    if (this.#end.complete) return [];
    return [this.style.streamEvent(error, requestId)];
  }
}
