import type { ServerEvent } from "../middleware/event-stream.ts";

/**
 * One request of another surface (`/v1/responses`, `/v1/messages`) as a chat completion, for agents whose
 * upstream has chat completions only, and its answer as the caller expects it. Pure: no clock, no ids of its
 * own.
 */
export interface Translation {
  /** The body of the chat completion, `stream` and, when streamed, `stream_options.include_usage` set. */
  request: Record<string, unknown>;
  /** The body of the answer, made from the body of a chat completion (2xx). Throws on one that is none. */
  answer(chatBody: string): string;
  /** Starts the translation of a streamed answer. */
  stream(): StreamTranslation;
}

/** The events of the caller's surface, made from those of a streamed chat completion. */
export interface StreamTranslation {
  /** The data of one event, `[DONE]` included. What is no chunk of a chat completion is a failure. */
  push(data: string): ServerEvent[];
  /** The answer is complete: whatever the surface still wants at the end. */
  end(): ServerEvent[];
  /** The answer has failed; nothing comes after these. */
  fail(error: { message: string; type: string; code: string | null }): ServerEvent[];
}

/** Where a translation gets what it cannot know. */
export interface TranslationContext {
  newId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
}
