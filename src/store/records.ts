import type { Principal } from "../principal.ts";

/** A failed try of a request, as it is kept. */
export interface StoredFailure {
  /** The id of the agent, and its own name for itself. */
  agent: string | null;
  agentName: string | null;
  /** From the arrival of the request until it was sent to this agent. */
  sentAfterMs: number;
  code: string;
  /** One printable line. */
  error: string;
}

/** A request as it is kept: numbers and names, never its content. Null stands for what is not known. */
export interface StoredRequest {
  /** With `at`, its place in the order of requests. */
  key: string;
  /** When it arrived, in milliseconds since 1970. */
  at: number;
  requestId: string;
  /** Null for the admin. */
  userId: string | null;
  agent: string | null;
  agentName: string | null;
  model: string | null;
  surface: string;
  outcome: string;
  upstreamStatus: number | null;
  /** One printable line. */
  error: string | null;
  /** The first tries that failed, in order. */
  failures: readonly StoredFailure[];
  isAffine: boolean | null;
  tries: number;
  queueMs: number;
  firstByteMs: number | null;
  durationMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
  cachedTokens: number | null;
  cacheCreationTokens: number | null;
  reasoningTokens: number | null;
  tokensEstimated: boolean;
  audioMs: number | null;
  images: number | null;
  searchUnits: number | null;
  inputBytes: number | null;
  outputBytes: number | null;
  /** In billionths of the currency's unit. */
  costNanos: number | null;
}

/** A place in the order of requests. */
export type RequestPlace = Pick<StoredRequest, "at" | "key">;

export interface RequestQuery {
  /** The requests that arrived at `from` or later, and before `to`. */
  from: number;
  to: number;
  /** At most so many. */
  limit: number;
  /** Only those after this place, which are older. */
  after?: RequestPlace | undefined;
  principal?: Principal | undefined;
  agent?: string | undefined;
  model?: string | undefined;
  surface?: string | undefined;
  /** `ok`, an error code, or `failed` for every error code. */
  outcome?: string | undefined;
  requestId?: string | undefined;
}

export interface RequestPage {
  /** Newest first. */
  requests: StoredRequest[];
  /** The place after which the next page begins; null if there are no more. There may be a next place though the page is not full. */
  next: RequestPlace | null;
}

/** The most rows that one page looks through, so that a rare value costs as little as another. */
const SCANNED_MAX = 50_000;
/** The same among the requests that failed, which are far from each other. */
const SCANNED_FAILED_MAX = 10_000;

/** Returns the most rows that a page looks through. */
export const scannedMaxOf = (query: RequestQuery): number =>
  isOfFailed(query) ? SCANNED_FAILED_MAX : SCANNED_MAX;

/**
 * Whether a page looks through a bounded number of rows. Without filters it is full soon. The id of a request is worth a
 * look at all rows.
 */
export const isBounded = ({ requestId, principal, agent, model, surface, outcome }: RequestQuery): boolean =>
  requestId === undefined && [principal, agent, model, surface, outcome].some((value) => value !== undefined);

/** Whether only requests that failed are wanted, for which there is an index. */
export const isOfFailed = ({ outcome }: RequestQuery): boolean => outcome !== undefined && outcome !== "ok";

/** Returns the tries in the JSON of a column. Another program may have written it. */
export function failuresIn(json: string | null): StoredFailure[] {
  if (json === null) return [];
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/**
 * `missing_model` has the requests for models that no agent has offered. They were refused, which is how they count in the
 * other kinds.
 */
export const TRAFFIC_KINDS = ["all", "agent", "model", "user", "route", "missing_model"] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];

/** The requests that ended in one step of time, as one process counted them. */
export interface TrafficStep {
  stepMs: number;
  /** When the step began, in milliseconds since 1970. */
  at: number;
  kind: TrafficKind;
  /** The agent, the model, the user or the route; empty for `all`, and for those beyond the names that a step may have. */
  name: string;
  /** The process that counted them. */
  run: string;
  /** When the step may be deleted. */
  expiresAt: number;
  /** Its numbers, as JSON. */
  data: string;
}

export interface TrafficQuery {
  stepMs: number;
  from: number;
  to: number;
  kind: TrafficKind;
  /** Only this one; undefined for all of the kind. */
  name?: string | undefined;
}

export interface TrafficStore {
  /** Returns at once. The step is written within some seconds, in place of the same step of the same process. */
  record(step: TrafficStep): void;
  /** Returns the steps that began at `from` or later, and before `to`, in no order. */
  read(query: TrafficQuery): Promise<Pick<TrafficStep, "at" | "name" | "data">[]>;
  /** Deletes the steps that expired before this time. Resolves with their number. */
  purge(before: number): Promise<number>;
}

/** The fields that identify a step. */
export const stepKeyOf = ({ stepMs, kind, at, name, run }: TrafficStep): string =>
  `${stepMs} ${kind} ${at} ${run} ${name}`;
