import type { PlanStream } from "./plan.ts";

/**
 * A request of another API (`/v1/responses`, `/v1/messages`) as a chat completion, for agents whose upstream
 * has only chat completions, and its answer as the caller expects it. Pure: it has neither a clock nor ids of
 * its own.
 */
export interface Translation {
  /**
   * The body of the chat completion, with `stream`, and when streamed with `stream_options.include_usage`.
   */
  request: Record<string, unknown>;
  /**
   * Returns the caller's answer, made from the body of a good chat completion. Throws if the body is anything
   * else.
   */
  answer(chatBody: string): string;
  /**
   * Begins a streamed answer. Its `push` takes the events of the streamed chat completion, `[DONE]` included.
   * Data that is not a chunk of a chat completion is a failure.
   */
  stream(): PlanStream;
}

/** The sources of a translation's ids and times. */
export interface TranslationContext {
  newId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
}
