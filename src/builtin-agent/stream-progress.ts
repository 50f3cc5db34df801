import { field, parseJson, textField } from "../json/parse.ts";
import type { Usage } from "../protocol/agent-v2.ts";
import { UsageReader, usageIn } from "../protocol/token-usage.ts";

/** Only an event that matches can carry usage or an end mark. In a quoted text the quotes are escaped. */
const WORTH_PARSING =
  /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"\s*:\s*[{"]|"type"\s*:\s*"(response\.(completed|failed|incomplete)|message_stop|error)"/;

const FINAL_TYPES = new Set(["response.completed", "response.failed", "response.incomplete", "message_stop"]);

/** Collects what the events of a stream of chat completions, completions, responses or messages say. */
export class StreamProgress {
  /** Whether an end mark has come: the answer is complete even if nothing follows. */
  complete = false;
  /** Whether nothing of interest can follow. */
  final = false;
  readonly #usage = new UsageReader();

  get usage(): Usage | undefined {
    return this.#usage.usage;
  }

  /** Takes the data of the next event. */
  note(data: string): void {
    if (data === "[DONE]") this.final = true;
    else if (WORTH_PARSING.test(data)) this.#read(parseJson(data));
    this.complete ||= this.final;
  }

  #read(event: unknown): void {
    this.#usage.note(event);
    const type = textField(event, "type") ?? "";
    this.final ||= FINAL_TYPES.has(type);
    this.complete ||= type === "error" || Boolean(field(event, "error")) || hasFinishReason(event);
  }
}

/** Whether an event with this data says that the answer is complete. */
export function isEndMark(data: string): boolean {
  const progress = new StreamProgress();
  progress.note(data);
  return progress.complete;
}

/** Returns the usage in an answer that was not streamed. */
export function usageOf(body: string): Usage | undefined {
  return usageIn(parseJson(body));
}

function hasFinishReason(value: unknown): boolean {
  const choices = field(value, "choices");
  return Array.isArray(choices) && choices.some((choice) => textField(choice, "finish_reason") !== undefined);
}
