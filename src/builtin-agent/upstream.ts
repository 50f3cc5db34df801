import type { Endpoint, Model } from "../protocol/agent-v2.ts";

export interface Offer {
  models: readonly Model[];
  endpoints: readonly Endpoint[];
}

/** What an upstream offers, or why that is unknown, in words for people. */
export type UpstreamStatus = { offer: Offer } | UpstreamProblem;

export interface UpstreamProblem {
  problem: string;
  /** Whether no connection could be made at all. */
  unreachable: boolean;
}

/** What answers the asks: a model server, a paid API, or the echo. */
export interface Upstream {
  /** The upstream's name for people and logs. */
  shown: string;
  /** Asks the upstream what it offers. Never rejects. */
  check(signal: AbortSignal): Promise<UpstreamStatus>;
  /**
   * Resolves with the response to one request, its body unread. Rejects if there is none, and when aborted.
   * `passed` are headers of the caller that may be meant for the upstream.
   */
  request(
    endpoint: Endpoint,
    body: string,
    signal: AbortSignal,
    passed?: Record<string, string>,
  ): Promise<Response>;
}
