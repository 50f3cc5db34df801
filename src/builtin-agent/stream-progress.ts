import { field, parseJson, textField } from "../json/parse.ts";
import { Usage } from "../protocol/agent-v2.ts";

/** What the events of a streamed answer have said so far. */
export interface StreamProgress {
  /** Takes the data of the next event. */
  note(data: string): void;
  /** Whether an end mark has come: the answer is complete even if nothing follows. */
  readonly complete: boolean;
  /** Whether nothing of interest can follow. */
  readonly final: boolean;
  readonly usage: Usage | undefined;
}

/** Only an event that matches can carry usage or an end mark. In a quoted text the quotes are escaped. */
const WORTH_PARSING =
  /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"\s*:\s*[{"]|"type"\s*:\s*"(response\.(completed|failed|incomplete)|message_stop|error)"/;

const FINAL_TYPES = new Set(["response.completed", "response.failed", "response.incomplete", "message_stop"]);

/** Works for streams of chat completions, completions, responses and messages. */
export function createStreamProgress(): StreamProgress {
  let complete = false;
  let final = false;
  let counts: TokenCounts = {};
  return {
    note(data) {
      if (data === "[DONE]") {
        complete = true;
        final = true;
        return;
      }
      if (!WORTH_PARSING.test(data)) return;
      const value = parseJson(data);
      counts = { ...counts, ...tokenCountsIn(value) };
      const type = textField(value, "type") ?? "";
      final ||= FINAL_TYPES.has(type);
      complete ||= final || type === "error" || Boolean(field(value, "error")) || hasFinishReason(value);
    },
    get complete() {
      return complete;
    },
    get final() {
      return final;
    },
    get usage() {
      return usageFrom(counts);
    },
  };
}

/** Whether an event with this data says that the answer is complete. */
export function isEndMark(data: string): boolean {
  const progress = createStreamProgress();
  progress.note(data);
  return progress.complete;
}

/** Returns the usage in an answer that was not streamed. */
export function usageOf(body: string): Usage | undefined {
  return usageFrom(tokenCountsIn(parseJson(body)));
}

interface TokenCounts {
  input?: number;
  output?: number;
}

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
  return {
    ...(typeof input === "number" && { input }),
    ...(typeof output === "number" && { output }),
  };
}

/** Embeddings have no output tokens, so a missing count of them is 0. */
function usageFrom({ input, output = 0 }: TokenCounts): Usage | undefined {
  return Usage.safeParse({ prompt_tokens: input, completion_tokens: output }).data;
}

function hasFinishReason(value: unknown): boolean {
  const choices = field(value, "choices");
  return Array.isArray(choices) && choices.some((choice) => textField(choice, "finish_reason") !== undefined);
}
