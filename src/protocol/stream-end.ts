import { field, parseJson, textField } from "../json/parse.ts";
import { CHAT_STREAM_END } from "./chat.ts";

/** Only an event that matches can end something. In a quoted text the quotes are escaped. */
const WORTH_PARSING =
  /"finish_reason"\s*:\s*"[^"]|"done"\s*:\s*true|"index"\s*:\s*[1-9]|"error"\s*:\s*[{"]|"type"\s*:\s*"(response\.(completed|failed|incomplete)|message_stop|error)"/;

/** OpenAI's limit of `n`. */
const CHOICES_MAX = 128;

const FINAL_TYPES = new Set(["response.completed", "response.failed", "response.incomplete", "message_stop"]);

/** Finds the end of a stream of chat completions, completions, responses, messages or lines of Ollama in its events. */
export class StreamEnd {
  /** Whether nothing of interest can follow. */
  final = false;
  #hasFailed = false;
  /** The choices that are known to come, and those that have ended. */
  #choices = 1;
  #endedChoices: Set<number> | undefined;

  /** Whether the answer is complete even if nothing follows: each of its choices has ended. */
  get complete(): boolean {
    return this.final || this.#hasFailed || (this.#endedChoices?.size ?? 0) >= this.#choices;
  }

  get hasEndMark(): boolean {
    return this.complete || this.#endedChoices !== undefined;
  }

  /** Takes the data of the next event. */
  note(data: string): void {
    if (data === CHAT_STREAM_END) this.final = true;
    else if (WORTH_PARSING.test(data)) this.#read(parseJson(data));
  }

  #read(event: unknown): void {
    const type = textField(event, "type") ?? "";
    this.final ||= FINAL_TYPES.has(type) || isLastLine(event);
    this.#hasFailed ||= type === "error" || Boolean(field(event, "error"));
    const choices = field(event, "choices");
    if (Array.isArray(choices)) for (const choice of choices) this.#noteChoice(choice);
  }

  #noteChoice(choice: unknown): void {
    const given = field(choice, "index");
    const isIndex = typeof given === "number" && Number.isInteger(given) && given >= 0 && given < CHOICES_MAX;
    const index = isIndex ? given : 0;
    this.#choices = Math.max(this.#choices, index + 1);
    // Some upstreams send an empty reason with each chunk.
    if (!textField(choice, "finish_reason")) return;
    this.#endedChoices ??= new Set();
    this.#endedChoices.add(index);
  }
}

/** Whether it is the last line of an answer of Ollama's API. */
const isLastLine = (event: unknown): boolean =>
  field(event, "done") === true && field(event, "choices") === undefined;

/** Whether an event with this data says that the answer, or one of its choices, is complete. */
export function isEndMark(data: string): boolean {
  const end = new StreamEnd();
  end.note(data);
  return end.hasEndMark;
}
