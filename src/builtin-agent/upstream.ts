import type { Endpoint, Model } from "../protocol/agent-v2.ts";

export interface Offer {
  models: readonly Model[];
  endpoints: readonly Endpoint[];
}

/** What an upstream has, or why that cannot be told now, in words for people. */
export type Inquiry = { offer: Offer } | { trouble: string; unreachable: boolean };

/** What answers the asks: a model server, a paid API, or the echo. */
export interface Upstream {
  /** For people and logs. */
  shown: string;
  /** Never rejects. */
  inquire(signal: AbortSignal): Promise<Inquiry>;
  /**
   * The answer to one request, its body unread. Rejects when there is none, and when aborted. `passed` are
   * headers of the caller's that may be meant for the upstream.
   */
  request(
    endpoint: Endpoint,
    body: string,
    signal: AbortSignal,
    passed?: Record<string, string>,
  ): Promise<Response>;
}
