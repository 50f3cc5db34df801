import type { NamedRoute } from "./route.ts";

/** The paths of the model API begin with it. Base URLs of clients differ in what stands here. */
const API = "/v1/";

/**
 * Clients put any of these before an endpoint, or none: `/v1/v1` (`ANTHROPIC_BASE_URL` that ends in `/v1`),
 * `/openai/v1` (Groq's package), `/openai` (Azure's), `/api/v1` (OpenRouter's clients), `/anthropic`.
 */
export const API_PREFIXES: ReadonlySet<string> = new Set(["v1", "openai", "anthropic", "api"]);

/** The paths of Ollama's own API begin with it. */
const OLLAMA = "/api/";

/**
 * Clients of Ollama put any of these before a path: `/v1` (a base URL for OpenAI's clients), `/api` (that of some
 * packages), `/ollama` (where Open WebUI has one).
 */
const OLLAMA_PREFIXES: ReadonlySet<string> = new Set(["v1", "api", "ollama"]);

/** Azure's packages name the model in the path. It may have slashes. */
const DEPLOYMENT =
  /^deployments\/(.+?)\/(chat\/completions|completions|embeddings|responses|audio\/(?:transcriptions|translations|speech)|images\/(?:generations|edits))$/;

/** Cohere's path. Nothing else of its second version is the same API. */
const V2 = "/v2/rerank";

/**
 * Finds the paths of the model API, and of Ollama's, as clients with another base URL send them. An alias only ever stands
 * for a declared path below `/v1`, or for one of Ollama's. The router, access control, the log and the metrics see that
 * path and no other.
 */
export function createPathAliases(routes: readonly Pick<NamedRoute, "path" | "tag">[]) {
  const declared = routes.map(({ path }) => path);
  const paths = new Set(declared.filter((path) => !path.includes(":")));
  const isApi = containing(declared.filter((path) => path.startsWith(API)));
  const isOllama = containing(routes.flatMap(({ path, tag }) => (tag === "Ollama" ? path : [])));

  return {
    /** Returns the declared path that the given one stands for, or else the given path. */
    canonical(path: string): string {
      if (paths.has(path)) return path;
      const ollama = ollamaPath(path);
      if (ollama !== undefined && isOllama(ollama)) return ollama;
      const rest = path === V2 ? "rerank" : withoutPrefixes(path);
      const [, , endpoint = rest] = DEPLOYMENT.exec(rest) ?? [];
      const wanted = API + endpoint;
      return isApi(wanted) ? wanted : path;
    },

    /** Returns the declared path of the model API, or of Ollama's, that the given one ends with, if there is one. */
    atEnd(path: string): string | undefined {
      // No endpoint has more than two segments.
      const parts = partsOf(path).slice(-2);
      const ollama = `/${parts.join("/")}`;
      const tails = parts.map((_, at) => API + parts.slice(at).join("/"));
      return [ollama, ...tails].find((tail) => isEndpoint(tail));
    },
  };

  function isEndpoint(path: string): boolean {
    return paths.has(path) && (path.startsWith(API) || isOllama(path));
  }
}

/** Returns whether a path is one of the declared ones, whose last segment may be a parameter. */
function containing(declared: readonly string[]): (path: string) => boolean {
  const paths = new Set(declared);
  const starts = declared.filter((path) => path.includes(":")).map(untilParam);
  return (path) =>
    paths.has(path) || starts.some((start) => path.startsWith(start) && path.length > start.length);
}

/** Returns the path without what stands before `/api/`, and without empty segments; undefined for any other path. */
function ollamaPath(path: string): string | undefined {
  const parts = partsOf(path);
  const first = parts.findIndex((part) => !OLLAMA_PREFIXES.has(part));
  return parts[first - 1] === "api" ? OLLAMA + parts.slice(first).join("/") : undefined;
}

const untilParam = (path: string): string => path.slice(0, path.indexOf(":"));

const partsOf = (path: string): string[] => path.split("/").filter(Boolean);

/** Returns the path without any of the prefixes, and without empty segments; empty if nothing else is there. */
export function withoutPrefixes(path: string): string {
  const parts = partsOf(path);
  const first = parts.findIndex((part) => !API_PREFIXES.has(part));
  return first === -1 ? "" : parts.slice(first).join("/");
}

/** Returns the model that the path of the URL names, as Azure's packages write it; undefined if it names none. */
export function deploymentOf(url: string): string | undefined {
  if (!url.includes("/deployments/")) return undefined;
  const { pathname } = new URL(url);
  const [, model] = DEPLOYMENT.exec(withoutPrefixes(pathname)) ?? [];
  return model === undefined ? undefined : decoded(model);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
