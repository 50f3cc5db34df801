import { field, parseJson, textField } from "../json/parse.ts";
import { bearer, requestText } from "./http.ts";
import { readModelList } from "./http-upstream.ts";
import { isSameServer } from "./server/server-address.ts";

/** A model server found on this machine. */
export interface FoundServer {
  /** The product's name. */
  name: string;
  /** The OpenAI-compatible base URL. */
  url: string;
  models: readonly string[];
}

/** How a model server is recognized. */
interface Probe {
  name: string;
  defaultPort: number;
  path: string;
  /** Whether the response to a request for `path` comes from this model server. `body` is its JSON. */
  recognizes(body: unknown, headers: Headers): boolean;
  /** The owner that its models have, for a path that other programs answer too. */
  owner?: string;
}

const PROBES = {
  ollama: {
    name: "Ollama",
    defaultPort: 11434,
    path: "/api/version",
    recognizes: (body) => textField(body, "version") !== undefined,
  },
  llamaCpp: {
    name: "llama.cpp",
    defaultPort: 8080,
    path: "/props",
    // The header is sent even if the path needs a key.
    recognizes: (body, headers) =>
      headers.get("server") === "llama.cpp" || field(body, "default_generation_settings") !== undefined,
  },
  vllm: {
    name: "vLLM",
    defaultPort: 8000,
    path: "/version",
    recognizes: (body) => textField(body, "version") !== undefined,
    owner: "vllm",
  },
  lmStudio: {
    name: "LM Studio",
    defaultPort: 1234,
    path: "/api/v0/models",
    recognizes: (body) => Array.isArray(field(body, "data")),
  },
} satisfies Record<string, Probe>;

export type ModelServer = keyof typeof PROBES;

const LIMIT_MS = 1500;
const BODY_BYTES_MAX = 4 * 1024 * 1024;

interface DiscoverOptions {
  /** The address of the server that this agent connects to. It is never taken for a model server. */
  server: string;
  key?: string | undefined;
  ports?: Partial<Record<ModelServer, number>>;
  limitMs?: number;
}

/**
 * Looks on this machine for the usual model servers, each at its default port. Returns those that run: first
 * those with models, else in the order of `PROBES`. Any other program is not used.
 */
export async function discover(options: DiscoverOptions): Promise<FoundServer[]> {
  const { server, key, ports = {}, limitMs = LIMIT_MS } = options;
  const names = Object.keys(PROBES) as ModelServer[];
  const candidates = names.map((name) => ({
    probe: PROBES[name],
    origin: `http://127.0.0.1:${ports[name] ?? PROBES[name].defaultPort}`,
  }));
  const others = candidates.filter(({ origin }) => !isSameServer(origin, server));
  const results = await Promise.all(
    others.map(({ probe, origin }) => probeServer(probe, origin, limitMs, key)),
  );
  const found = results.filter((result) => result !== undefined);
  return found.sort((a, b) => Number(b.models.length > 0) - Number(a.models.length > 0));
}

/** Returns the model server at the origin; undefined if it is another program, or none. */
async function probeServer(
  { name, path, recognizes, owner }: Probe,
  origin: string,
  limitMs: number,
  key: string | undefined,
): Promise<FoundServer | undefined> {
  const limits = { limitMs, bytesMax: BODY_BYTES_MAX };
  try {
    const { response, text } = await requestText(origin + path, limits);
    if (!recognizes(parseJson(text ?? ""), response.headers)) return undefined;
    const url = `${origin}/v1`;
    const models = await listIn(`${url}/models`, key, limits);
    if (owner && !models.some(({ owned_by }) => owned_by === owner)) return undefined;
    return { name, url, models: models.map(({ id }) => id) };
  } catch {
    return undefined;
  }
}

/** Returns no models if they are not listed in time: the model server runs nevertheless. */
async function listIn(url: string, key: string | undefined, limits: { limitMs: number; bytesMax: number }) {
  try {
    const { text } = await requestText(url, { init: { headers: bearer(key) }, ...limits });
    return readModelList(text ?? "") ?? [];
  } catch {
    return [];
  }
}
