import { field, parseJson } from "../json/parse.ts";
import {
  COUNT_ENDPOINT,
  type Endpoint,
  isOllamaEndpoint,
  MODELS_MAX,
  Model,
  PASSED_REQUEST_HEADERS,
} from "../protocol/agent-v2.ts";
import { otherName } from "../protocol/model-name.ts";
import { findEndpoints } from "./endpoint-search.ts";
import { failureOf, isKeyRefusal, request, requestText, UpstreamKey } from "./http.ts";
import { ContextLengths, contextLengthOf } from "./models/context-length.ts";
import { declaredSlots } from "./models/declared-slots.ts";
import { FoundEndpoints } from "./models/found-endpoints.ts";
import { type LoadedSource, loadedIn, loadedSourceOf, statusIn, withLoaded } from "./models/loaded-models.ts";
import { detailsIn, withDetails } from "./models/model-details.ts";
import { NativeApi } from "./models/native-api.ts";
import { OllamaShown } from "./models/ollama-shown.ts";
import { TokenCounter } from "./models/token-counter.ts";
import { newestWithin } from "./newest-within.ts";
import type { RequestBody, UnlistedModels, Upstream, UpstreamProblem, UpstreamStatus } from "./upstream.ts";

export interface HttpUpstreamOptions {
  /** An OpenAI-compatible base URL. `/v1` is added if needed. */
  url: string;
  key?: string | undefined;
  /** The models to offer; empty for all that the upstream lists. */
  models: readonly string[];
  /** Whether the models are offered only while the upstream lists them. Default: also if it does not list them. */
  onlyListed?: boolean;
  /** The endpoints to offer; empty to find out which exist. */
  endpoints: readonly Endpoint[];
  /** Whether the environment has an HTTP proxy for the URL. Default: false. */
  viaProxy?: boolean;
  limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** The time in which the models must be listed. A gateway may ask every model server behind it. */
  listMs: 60_000,
  /** The time for which a list is awaited that is not needed, as the models are chosen. */
  optionalListMs: 1_500,
  /** The time for each other request of a check. */
  probeMs: 5_000,
};
const LIST_BYTES_MAX = 16 * 1024 * 1024;

type Listing = { models: Model[] } | { absent: true } | UpstreamProblem;

const ABSENT_LIST = { absent: true } as const;

/** Returns an upstream that is an OpenAI-compatible HTTP server. */
export function createHttpUpstream(options: HttpUpstreamOptions): Upstream {
  const { key } = options;
  const upstreamKey = new UpstreamKey(key);
  const limits = { ...LIMITS, ...options.limits };
  const bases = candidates(options.url);
  let base = bases[0];
  const shown = new OllamaShown();
  const counter = new TokenCounter(key);
  const lengths = new ContextLengths(shown);
  const atRoot = new Set<Endpoint>();
  // Forgotten when the upstream goes down, as another one may come back.
  const found = new FoundEndpoints(options.endpoints, (probe, api, listed) =>
    findEndpoints({ probe, atRoot, findCounting: (exists) => counter.find({ api, listed, exists }) }),
  );
  let loadedSource: LoadedSource | undefined;

  const post = (endpoint: Endpoint, isAtRoot: boolean, body: RequestBody, init: PostInit) => {
    const { signal } = init;
    if (endpoint === COUNT_ENDPOINT && counter.isNeeded && typeof body === "string")
      return counter.count(body, { base, signal });
    const { sent, headers: own } = sentBody(body);
    const headers = { ...upstreamKey.headersFor(endpoint), ...own, ...allowedHeaders(init.headers ?? {}) };
    const address = isAtRoot || isOllamaEndpoint(endpoint) ? base.replace(/\/v1$/, "") : base;
    return request(`${address}/${endpoint}`, { method: "POST", headers, body: sent, signal });
  };
  const send: Upstream["request"] = (endpoint, body, signal, headers) =>
    post(endpoint, atRoot.has(endpoint), body, { signal, headers });

  const { onlyListed = false } = options;
  const expected = onlyListed ? [] : options.models;
  const isChosen = expected.length > 0;
  const list = (signal: AbortSignal) => {
    const { viaProxy = false } = options;
    const how = { key: upstreamKey, limitMs: limits.listMs, signal, viaProxy, isOptional: isChosen };
    return firstListing(found.areKnown ? [base] : bases, how);
  };
  const first = { at: bases[0], listing: ABSENT_LIST };
  const currentList = isChosen ? newestWithin(limits.optionalListMs, list, first) : list;

  const check = async (signal: AbortSignal): Promise<UpstreamStatus> => {
    const { at, listing } = await currentList(signal);
    // Some upstreams list no models. Then the operator names them.
    const listed = "models" in listing ? listing.models : [];
    const source = loadedSourceOf(listed);
    loadedSource = source;
    if ("models" in listing || ("absent" in listing && isChosen)) {
      if (at !== base) found.forget();
      base = at;
      const limitMs = limits.probeMs;
      const probe = (endpoint: Endpoint, isAtRoot = false) =>
        post(endpoint, isAtRoot, "{}", { signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]) });
      const api = new NativeApi(at, { key, limitMs, signal });
      const endpoints = await found.find(api, listed, probe);
      const chosen = selectModels(listed, options.models, onlyListed);
      const detailed = lengths.add(api, chosen).then((sized) => withDetails(api, sized, shown));
      const loaded = source?.path === undefined ? loadedIn(listed) : source.read(await api.get(source.path));
      const models = withLoaded(await detailed, loaded);
      const offer = { models, endpoints, ...(await declaredSlots(api, listed)) };
      return { offer, unlisted: unlistedIn(listed, expected) };
    }
    found.forget();
    if ("problem" in listing) return listing;
    return { problem: "it lists no models; check --upstream, or give --model", unreachable: false };
  };

  const loaded = async (signal: AbortSignal) => {
    const { path, read } = loadedSource ?? {};
    const api = new NativeApi(base, { key, limitMs: limits.probeMs, signal });
    return read?.(await (path === undefined ? api.list() : api.get(path))) ?? new Map();
  };
  const tellsLoaded = () => loadedSource !== undefined;
  return { label: options.url, check, request: send, tellsLoaded, loaded };
}

/** A URL with a path is more likely complete, one without a path more likely lacks `/v1`. */
function candidates(url: string): [string, ...string[]] {
  const given = url.replace(/\/+$/, "");
  if (given.endsWith("/v1")) return [given];
  const longer = `${given}/v1`;
  return new URL(url).pathname === "/" ? [longer, given] : [given, longer];
}

interface ListOptions {
  key: UpstreamKey;
  limitMs: number;
  signal: AbortSignal;
  viaProxy: boolean;
  /** Whether the upstream is used even if its list takes too long. */
  isOptional: boolean;
}

interface FoundListing {
  /** The base URL. */
  at: string;
  listing: Listing;
}

/** Returns the first base URL that lists models or has a problem; the first of all if none does. */
async function firstListing(
  bases: readonly [string, ...string[]],
  options: ListOptions,
): Promise<FoundListing> {
  for (const at of bases) {
    const listing = await listModels(at, options);
    if (!("absent" in listing)) return { at, listing };
  }
  return { at: bases[0], listing: ABSENT_LIST };
}

async function listModels(
  base: string,
  { key, viaProxy, isOptional, ...limits }: ListOptions,
): Promise<Listing> {
  try {
    const { response, text } = await key.list((headers) =>
      requestText(`${base}/models`, { init: { headers }, bytesMax: LIST_BYTES_MAX, ...limits }),
    );
    const { status } = response;
    if (isKeyRefusal(response))
      return { problem: `it refuses the key (${status}); check --upstream-key`, unreachable: false };
    if (status === 429 || status >= 500) {
      const from = viaProxy ? "it, or the HTTP proxy of the environment," : "it";
      return { problem: `${from} responds with status ${status}`, unreachable: false };
    }
    const models = response.ok ? readModelList(parseJson(text ?? "")) : undefined;
    return models ? { models } : { absent: true };
  } catch (error) {
    const { words, unreachable } = failureOf(error);
    const isSlow = (error as Error).name === "TimeoutError";
    if (isSlow && isOptional) return ABSENT_LIST;
    if (!isSlow) return { problem: `it ${words}`, unreachable };
    const within = `within ${Math.ceil(limits.limitMs / 1000)} s`;
    return {
      problem: `it does not list its models ${within}; --model offers models without a list`,
      unreachable,
    };
  }
}

/**
 * Returns the models in the JSON of the response to `GET /models`; undefined if it is not a list. Leaves out models
 * without a usable id.
 */
export function readModelList(body: unknown): Model[] | undefined {
  const data = field(body, "data");
  if (!Array.isArray(data)) return undefined;
  const { shape } = Model;
  const models = new Map<string, Model>();
  for (const entry of data) {
    const id = shape.id.safeParse(field(entry, "id")).data;
    if (id === undefined || models.size >= MODELS_MAX) continue;
    models.set(id, {
      id,
      owned_by: shape.owned_by.safeParse(field(entry, "owned_by")).data,
      context_length: contextLengthOf(entry),
      loaded: statusIn(entry),
      ...detailsIn(entry),
    });
  }
  return [...models.values()];
}

/** Returns the models with these ids, with what the upstream says about them; all if there are no ids. */
function selectModels(
  listed: readonly Model[],
  ids: readonly string[],
  onlyListed: boolean,
): readonly Model[] {
  if (ids.length === 0) return listed;
  if (onlyListed) return listed.filter(({ id }) => ids.includes(id) || ids.includes(otherName(id) ?? id));
  return ids.map((id) => listed.find((model) => model.id === id) ?? { id });
}

/** Returns the chosen models that a list has by neither of their names. */
function unlistedIn(listed: readonly Model[], ids: readonly string[]): UnlistedModels | undefined {
  const known = new Set(listed.map(({ id }) => id));
  const unlisted = ids.filter((id) => !known.has(id) && !known.has(otherName(id) ?? id));
  return listed.length > 0 && unlisted.length > 0
    ? { models: unlisted, listed: listed.map(({ id }) => id) }
    : undefined;
}

/** Returns the headers that a server may set. It may not set others, least of all the key. */
function allowedHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    PASSED_REQUEST_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}

interface PostInit {
  signal: AbortSignal;
  headers?: Record<string, string> | undefined;
}

/** A form goes with its length, as some model servers take no chunked body. */
function sentBody(body: RequestBody): { sent: string | ReadableStream; headers: Record<string, string> } {
  if (typeof body === "string") return { sent: body, headers: { "content-type": "application/json" } };
  const { contentType, bytes, stream } = body;
  return { sent: stream, headers: { "content-type": contentType, "content-length": String(bytes) } };
}
