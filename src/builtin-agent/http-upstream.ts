import { type Endpoint, type Model, PASSED_REQUEST_HEADERS } from "../protocol/agent-v2.ts";
import { findEndpoints } from "./endpoints.ts";
import { reasonOf, request, requestText } from "./http.ts";
import { readModelList } from "./model-list.ts";
import type { Upstream, UpstreamProblem, UpstreamStatus } from "./upstream.ts";

export interface HttpUpstreamOptions {
  /** An OpenAI-compatible base URL. `/v1` is added if needed. */
  url: string;
  key?: string | undefined;
  /** The models to offer; empty for all that the upstream lists. */
  models: readonly string[];
  /** The endpoints to offer; empty to find out which exist. */
  endpoints: readonly Endpoint[];
  /** How long a check of the upstream may take. */
  limitMs?: number;
}

const LIMIT_MS = 5000;
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const ANTHROPIC_VERSION = "2023-06-01";

type Listing = { models: Model[] } | { absent: true } | UpstreamProblem;

/** Returns an upstream that is an OpenAI-compatible HTTP server. */
export function createHttpUpstream(options: HttpUpstreamOptions): Upstream {
  const { key, limitMs = LIMIT_MS } = options;
  const bases = candidates(options.url);
  let base = bases[0];
  // Forgotten when the upstream goes down, as another one may come back.
  let found: readonly Endpoint[] | undefined;

  const post: Upstream["request"] = (endpoint, body, signal, passed = {}) => {
    const headers = { ...headersFor(endpoint, key), ...chosenHeaders(passed) };
    return request(`${base}/${endpoint}`, { method: "POST", headers, body, signal });
  };

  const offerOf = async (
    at: string,
    listed: readonly Model[],
    signal: AbortSignal,
  ): Promise<UpstreamStatus> => {
    base = at;
    const probe = (endpoint: Endpoint, body: string) =>
      post(endpoint, body, AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
    found ??= options.endpoints.length > 0 ? options.endpoints : await findEndpoints(probe);
    return { offer: { models: chosen(listed, options.models), endpoints: found } };
  };

  const check = async (signal: AbortSignal): Promise<UpstreamStatus> => {
    const { at, listing } = await firstListing(found ? [base] : bases, { key, limitMs, signal });
    if ("models" in listing) return offerOf(at, listing.models, signal);
    // Some upstreams list no models. Then the operator names them.
    if ("absent" in listing && options.models.length > 0) return offerOf(at, [], signal);
    found = undefined;
    if ("problem" in listing) return listing;
    return { problem: "it lists no models; check --upstream, or give --model", unreachable: false };
  };

  return { shown: options.url, check, request: post };
}

/** A URL with a path is more likely complete, one without a path more likely lacks `/v1`. */
function candidates(url: string): [string, ...string[]] {
  const given = url.replace(/\/+$/, "");
  if (given.endsWith("/v1")) return [given];
  const longer = `${given}/v1`;
  return new URL(url).pathname === "/" ? [longer, given] : [given, longer];
}

interface ListOptions {
  key: string | undefined;
  limitMs: number;
  signal: AbortSignal;
}

/** Returns the first base URL that lists models or has a problem; the first of all if none does. */
async function firstListing(
  bases: readonly [string, ...string[]],
  options: ListOptions,
): Promise<{ at: string; listing: Listing }> {
  for (const at of bases) {
    const listing = await listModels(at, options);
    if (!("absent" in listing)) return { at, listing };
  }
  return { at: bases[0], listing: { absent: true } };
}

async function listModels(base: string, { key, limitMs, signal }: ListOptions): Promise<Listing> {
  try {
    const init = { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } };
    const { response, text } = await requestText(`${base}/models`, {
      init,
      limitMs,
      signal,
      bytesMax: LIST_BYTES_MAX,
    });
    const { status } = response;
    if (status === 401 || status === 403)
      return { problem: `it refuses the key (${status}); check --upstream-key`, unreachable: false };
    if (status === 429 || status >= 500)
      return { problem: `it responds with status ${status}`, unreachable: false };
    const models = response.ok ? readModelList(text ?? "") : undefined;
    return models ? { models } : { absent: true };
  } catch (error) {
    const { reason, unreachable } = reasonOf(error);
    return { problem: `it cannot be reached (${reason})`, unreachable };
  }
}

/** Returns the chosen models, with what the upstream says about them. */
function chosen(listed: readonly Model[], ids: readonly string[]): readonly Model[] {
  if (ids.length === 0) return listed;
  return ids.map((id) => listed.find((model) => model.id === id) ?? { id });
}

/** Returns the headers that a server may set. It may not set others, least of all the key. */
function chosenHeaders(passed: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    PASSED_REQUEST_HEADERS.flatMap((name) => (passed[name] === undefined ? [] : [[name, passed[name]]])),
  );
}

/** Anthropic's own API expects its key in `x-api-key`, most others as `Bearer`. */
function headersFor(endpoint: Endpoint, key: string | undefined): Record<string, string> {
  return {
    "content-type": "application/json",
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(endpoint.startsWith("messages") && {
      "anthropic-version": ANTHROPIC_VERSION,
      ...(key !== undefined && { "x-api-key": key }),
    }),
  };
}
