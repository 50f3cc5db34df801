import { type Endpoint, type Model, PASSED_REQUEST_HEADERS } from "../protocol/agent-v2.ts";
import { findEndpoints } from "./endpoints.ts";
import { reasonOf, request, requestText } from "./http.ts";
import { readModelList } from "./model-list.ts";
import type { Inquiry, Upstream } from "./upstream.ts";

export interface HttpUpstreamOptions {
  /** An OpenAI-compatible base URL; a missing `/v1` is found out. */
  url: string;
  key?: string | undefined;
  /** What is offered; empty for all that the upstream lists. */
  models: readonly string[];
  /** What is offered; empty for what is found out. */
  endpoints: readonly Endpoint[];
  /** How long it may take to answer a question about itself. */
  limitMs?: number;
}

const LIMIT_MS = 5000;
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const ANTHROPIC_VERSION = "2023-06-01";

type Listing = { models: Model[] } | { absent: true } | { trouble: string; unreachable: boolean };

/** An OpenAI-compatible server, reached by HTTP. */
export function createHttpUpstream(options: HttpUpstreamOptions): Upstream {
  const { key, limitMs = LIMIT_MS } = options;
  const bases = candidates(options.url);
  let base = bases[0];
  // Found out anew after each time that the upstream was away: it may be another one then.
  let found: readonly Endpoint[] | undefined;

  const post: Upstream["request"] = (endpoint, body, signal, passed = {}) => {
    const headers = { ...headersFor(endpoint, key), ...chosenHeaders(passed) };
    return request(`${base}/${endpoint}`, { method: "POST", headers, body, signal });
  };

  const offerOf = async (at: string, listed: readonly Model[], signal: AbortSignal): Promise<Inquiry> => {
    base = at;
    const probe = (endpoint: Endpoint, body: string) =>
      post(endpoint, body, AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
    found ??= options.endpoints.length > 0 ? options.endpoints : await findEndpoints(probe);
    return { offer: { models: chosen(listed, options.models), endpoints: found } };
  };

  const inquire = async (signal: AbortSignal): Promise<Inquiry> => {
    const { at, listing } = await firstListing(found ? [base] : bases, { key, limitMs, signal });
    if ("models" in listing) return offerOf(at, listing.models, signal);
    // Some upstreams list nothing; what the operator says is then all there is to know.
    if ("absent" in listing && options.models.length > 0) return offerOf(at, [], signal);
    found = undefined;
    if ("trouble" in listing) return listing;
    return { trouble: "it lists no models: check its base URL, or give --model", unreachable: false };
  };

  return { shown: options.url, inquire, request: post };
}

/** With a path it is more likely whole, without one it more likely lacks `/v1`. */
function candidates(url: string): [string, ...string[]] {
  const given = url.replace(/\/+$/, "");
  if (given.endsWith("/v1")) return [given];
  const longer = `${given}/v1`;
  return new URL(url).pathname === "/" ? [longer, given] : [given, longer];
}

interface Question {
  key: string | undefined;
  limitMs: number;
  signal: AbortSignal;
}

/** The first base URL below which there is an answer; the first of all where there is none. */
async function firstListing(
  bases: readonly [string, ...string[]],
  question: Question,
): Promise<{ at: string; listing: Listing }> {
  for (const at of bases) {
    const listing = await listModels(at, question);
    if (!("absent" in listing)) return { at, listing };
  }
  return { at: bases[0], listing: { absent: true } };
}

async function listModels(base: string, { key, limitMs, signal }: Question): Promise<Listing> {
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
      return { trouble: `it refuses the key (${status}): check --upstream-key`, unreachable: false };
    if (status === 429 || status >= 500) return { trouble: `it answers ${status}`, unreachable: false };
    const models = response.ok ? readModelList(text ?? "") : undefined;
    return models ? { models } : { absent: true };
  } catch (error) {
    const { reason, unreachable } = reasonOf(error);
    return { trouble: `it cannot be reached (${reason})`, unreachable };
  }
}

/** What the upstream says of a chosen model is kept. */
function chosen(listed: readonly Model[], ids: readonly string[]): readonly Model[] {
  if (ids.length === 0) return listed;
  return ids.map((id) => listed.find((model) => model.id === id) ?? { id });
}

/** A server may not set any others, least of all the key. */
function chosenHeaders(passed: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    PASSED_REQUEST_HEADERS.flatMap((name) => (passed[name] === undefined ? [] : [[name, passed[name]]])),
  );
}

/** Anthropic's own API wants its key in `x-api-key`, most others as `Bearer`. */
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
