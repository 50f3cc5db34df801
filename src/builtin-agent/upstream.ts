import type { Endpoint, Model } from "../protocol/agent-v2.ts";
import type { LoadedModels } from "./models/loaded-models.ts";

/** The work that an agent can do for its server. */
export interface Offer {
  models: readonly Model[];
  endpoints: readonly Endpoint[];
  /** How many requests the upstream says that it answers at once. Missing if it does not say. */
  slots?: number;
}

/** The reason why the offer of an upstream is unknown. */
export interface UpstreamProblem {
  /** The reason for people. */
  problem: string;
  /** Whether no connection could be made at all. */
  unreachable: boolean;
}

/** The models that the operator chose although the upstream does not list them. */
export interface UnlistedModels {
  models: readonly string[];
  /** The models that the upstream lists. */
  listed: readonly string[];
}

export type UpstreamStatus = { offer: Offer; unlisted?: UnlistedModels | undefined } | UpstreamProblem;

/** The body of a request: JSON as text, or a form in bytes. */
export type RequestBody = string | FormBody;

export interface FormBody {
  contentType: string;
  /** The number of all bytes. */
  bytes: number;
  stream: ReadableStream<Uint8Array>;
}

/** The program that answers the asks: a model server, a paid API, or the echo. */
export interface Upstream {
  /** The upstream's name for people and logs. */
  label: string;
  /** Asks the upstream what it offers. Never rejects. */
  check(signal: AbortSignal): Promise<UpstreamStatus>;
  /** Whether the upstream tells which models it has in memory, as far as the last check has shown. */
  tellsLoaded?(): boolean;
  /** Asks the upstream which models it has in memory. Never rejects. */
  loaded?(signal: AbortSignal): Promise<LoadedModels>;
  /**
   * Resolves with the response to one request, its body unread. Rejects if there is none, and when aborted.
   * `callerHeaders` are the headers of the caller that the upstream may need.
   */
  request(
    endpoint: Endpoint,
    body: RequestBody,
    signal: AbortSignal,
    callerHeaders?: Record<string, string>,
  ): Promise<Response>;
}
