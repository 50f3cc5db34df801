import { field, parseJson, textField } from "../json/parse.ts";
import { Usage } from "../protocol/agent-v2.ts";

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
  #counts: TokenCounts = {};

  get usage(): Usage | undefined {
    return usageFrom(this.#counts);
  }

  /** Takes the data of the next event. */
  note(data: string): void {
    if (data === "[DONE]") this.final = true;
    else if (WORTH_PARSING.test(data)) this.#read(parseJson(data));
    this.complete ||= this.final;
  }

  #read(event: unknown): void {
    this.#counts = { ...this.#counts, ...tokenCountsIn(event) };
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
  return usageFrom(tokenCountsIn(parseJson(body)));
}

type TokenCounts = { input?: number; output?: number };

/**
 * Finds `usage` at the top level (chat completions, completions, embeddings, messages), in the `response` of
 * the last event of responses, or in the `message` of the first event of messages. Responses and messages
 * name the counts `input_tokens` and `output_tokens`.
 */
function tokenCountsIn(value: unknown): TokenCounts {
  const usage =
    field(value, "usage") ??
    field(field(value, "response"), "usage") ??
    field(field(value, "message"), "usage");
  const input = field(usage, "prompt_tokens") ?? field(usage, "input_tokens");
  const output = field(usage, "completion_tokens") ?? field(usage, "output_tokens");
  return { ...(typeof input === "number" && { input }), ...(typeof output === "number" && { output }) };
}

/** Embeddings have no output tokens, so a missing count of them is 0. */
function usageFrom({ input, output = 0 }: TokenCounts): Usage | undefined {
  return Usage.safeParse({ prompt_tokens: input, completion_tokens: output }).data;
}

function hasFinishReason(value: unknown): boolean {
  const choices = field(value, "choices");
  return Array.isArray(choices) && choices.some((choice) => textField(choice, "finish_reason") !== undefined);
}
