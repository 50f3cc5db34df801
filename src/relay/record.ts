import type { ErrorCode } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { MediaUsage } from "../protocol/bytes/media-usage.ts";
import type { TokenCounts } from "../protocol/token-usage.ts";
import type { TryFailure } from "./asks/failure-text.ts";

export type { TryFailure } from "./asks/failure-text.ts";

/** The request that an ask came from, for counting and logging. */
export interface AskOrigin {
  requestId: string;
  /** The route's name, such as `ask` or `chat/completions`. */
  surface: string;
  /** The W3C trace context to pass on, with the server's own span as the parent. */
  traceparent?: string | undefined;
  tracestate?: string | undefined;
}

/** The names of the token counts of a record. */
export const TOKEN_COUNTS = [
  "inputTokens",
  "outputTokens",
  "cachedTokens",
  "cacheCreationTokens",
  "reasoningTokens",
] as const satisfies readonly (keyof TokenCounts)[];

/** The tokens of an ask. The counts are undefined if there are none to count. */
export interface AskTokens extends TokenCounts {
  /** Whether the server estimated a count, as the upstream did not report it. */
  tokensEstimated: boolean;
}

/** The record of a finished ask: numbers and names, never its content. */
export interface AskRecord extends AskOrigin, AskTokens {
  principal: Principal;
  /** The work besides the tokens, of an ask that has any: that of audio, images and rankings. */
  media?: MediaUsage | undefined;
  /** The id of the agent that had the ask last; undefined when none had it. */
  agent: string | undefined;
  /** That agent's own name for itself. */
  agentName?: string | undefined;
  /** The name of the node that the agent was connected to; undefined if that was this one. */
  agentNode?: string | undefined;
  /** The model that this agent was to use, or that was asked for; undefined when neither is known. */
  model: string | undefined;
  outcome: "ok" | ErrorCode;
  /** Why it failed, or was refused by the upstream: one printable line of bounded length. */
  error?: string | undefined;
  /** The first tries that failed, in order; undefined if none did. */
  failures?: readonly TryFailure[] | undefined;
  /** Whether its last agent was the one that has a part of it cached; undefined if none is known that has. */
  isAffine?: boolean | undefined;
  /** The upstream's status, if it returned one. */
  upstreamStatus: number | undefined;
  /** When the ask arrived, in milliseconds since 1970. */
  at: number;
  /** How often it was sent to an agent. */
  tries: number;
  /** From its arrival until it was sent to an agent for the last time, or given up. */
  queueMs: number;
  /** From its arrival until the first byte of the answer; undefined when there was none. */
  firstByteMs: number | undefined;
  durationMs: number;
  /** How many deltas a streamed answer had. */
  deltas: number;
  /** The length of the whole answer, in UTF-16 code units. */
  answerLength: number;
  /**
   * Its cost, in billionths of the currency's unit; null if its model has no price. The core knows no prices: the
   * server adds it.
   */
  costNanos?: number | null;
}

/**
 * Returns the model's name, or `(no name)` for text that does not look like one: a caller may put anything
 * where a model's name belongs, and that is neither logged nor shown.
 */
export function shownModel(model: string | undefined): string | undefined {
  return model === undefined || /^[\w.:/@+-]{0,100}$/.test(model) ? model : "(no name)";
}
