import { field, parseJson, textField } from "../json/parse.ts";
import { Usage } from "../protocol/agent-v2.ts";

/** What a streamed answer has told of itself so far. */
export interface Progress {
  /** Takes the data of the next event. */
  note(data: string): void;
  /** An end mark was seen: the answer is whole even if nothing more comes. */
  readonly complete: boolean;
  /** Nothing that matters can follow. */
  readonly final: boolean;
  readonly usage: Usage | undefined;
}

/** Only an event with one of these can carry usage or an end; in quoted text the quotes are escaped. */
const WORTH_PARSING =
  /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"\s*:\s*[{"]|"type"\s*:\s*"(response\.(completed|failed|incomplete)|message_stop|error)"/;

const FINAL_TYPES = new Set(["response.completed", "response.failed", "response.incomplete", "message_stop"]);

/** For the streams of chat completions, completions, responses and messages alike. */
export function createProgress(): Progress {
  let complete = false;
  let final = false;
  let figures: Figures = {};
  return {
    note(data) {
      if (data === "[DONE]") {
        complete = true;
        final = true;
        return;
      }
      if (!WORTH_PARSING.test(data)) return;
      const value = parseJson(data);
      figures = { ...figures, ...figuresIn(value) };
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
      return usageFrom(figures);
    },
  };
}

/** The figures of an answer that was not streamed. */
export function usageOf(body: string): Usage | undefined {
  return usageFrom(figuresIn(parseJson(body)));
}

interface Figures {
  prompt?: number;
  completion?: number;
}

/**
 * `usage` at the top (chat completions, completions, embeddings, messages), or in the `response` of the last
 * event of responses, or in the `message` of the first event of messages. The latter two count `input_tokens`
 * and `output_tokens`.
 */
function figuresIn(value: unknown): Figures {
  const usage =
    field(value, "usage") ??
    field(field(value, "response"), "usage") ??
    field(field(value, "message"), "usage");
  const prompt = field(usage, "prompt_tokens") ?? field(usage, "input_tokens");
  const completion = field(usage, "completion_tokens") ?? field(usage, "output_tokens");
  return {
    ...(typeof prompt === "number" && { prompt }),
    ...(typeof completion === "number" && { completion }),
  };
}

/** Embeddings have no completion, so its absence is none. */
function usageFrom({ prompt, completion = 0 }: Figures): Usage | undefined {
  return Usage.safeParse({ prompt_tokens: prompt, completion_tokens: completion }).data;
}

function hasFinishReason(value: unknown): boolean {
  const choices = field(value, "choices");
  return Array.isArray(choices) && choices.some((choice) => textField(choice, "finish_reason") !== undefined);
}
