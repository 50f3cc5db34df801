import { field, parseJson, textField } from "../json/parse.ts";
import type { Usage } from "../protocol/agent-v2.ts";
import { UsageReader, usageIn } from "../protocol/token-usage.ts";

/** Only an event that matches can carry usage or an end mark. In a quoted text the quotes are escaped. */
const WORTH_PARSING =
  /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"index"\s*:\s*[1-9]|"error"\s*:\s*[{"]|"type"\s*:\s*"(response\.(completed|failed|incomplete)|message_stop|error)"/;

/** OpenAI's limit of `n`. */
const CHOICES_MAX = 128;

const FINAL_TYPES = new Set(["response.completed", "response.failed", "response.incomplete", "message_stop"]);

/** Collects what the events of a stream of chat completions, completions, responses or messages say. */
export class StreamProgress {
  /** Whether nothing of interest can follow. */
  final = false;
  #isEnded = false;
  /** The choices that are known to come, and those that have ended. */
  #choices = 1;
  readonly #endedChoices = new Set<number>();
  readonly #usage = new UsageReader();

  get usage(): Usage | undefined {
    return this.#usage.usage;
  }

  /** Whether the answer is complete even if nothing follows: each of its choices has ended. */
  get complete(): boolean {
    return this.final || this.#isEnded || this.#endedChoices.size >= this.#choices;
  }

  get hasEndMark(): boolean {
    return this.complete || this.#endedChoices.size > 0;
  }

  /** Takes the data of the next event. */
  note(data: string): void {
    if (data === "[DONE]") this.final = true;
    else if (WORTH_PARSING.test(data)) this.#read(parseJson(data));
  }

  #read(event: unknown): void {
    this.#usage.note(event);
    const type = textField(event, "type") ?? "";
    this.final ||= FINAL_TYPES.has(type);
    this.#isEnded ||= type === "error" || Boolean(field(event, "error"));
    const choices = field(event, "choices");
    if (Array.isArray(choices)) for (const choice of choices) this.#noteChoice(choice);
  }

  #noteChoice(choice: unknown): void {
    const given = field(choice, "index");
    const isIndex = typeof given === "number" && Number.isInteger(given) && given >= 0 && given < CHOICES_MAX;
    const index = isIndex ? given : 0;
    this.#choices = Math.max(this.#choices, index + 1);
    if (textField(choice, "finish_reason") !== undefined) this.#endedChoices.add(index);
  }
}

/** Whether an event with this data says that the answer, or one of its choices, is complete. */
export function isEndMark(data: string): boolean {
  const progress = new StreamProgress();
  progress.note(data);
  return progress.hasEndMark;
}

/** Returns the usage in an answer that was not streamed. */
export function usageOf(body: string): Usage | undefined {
  return usageIn(parseJson(body));
}
