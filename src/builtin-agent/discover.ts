import { field, parseJson, textField } from "../json/parse.ts";
import { bearer, requestText } from "./http.ts";
import { readModelList } from "./http-upstream.ts";
import { isSameServer } from "./server-address.ts";

/** A model server found on this machine. */
export interface FoundServer {
  /** The product's name. */
  name: string;
  /** The OpenAI-compatible base URL. */
  url: string;
  models: readonly string[];
}

export type ModelServer = "ollama" | "llamaCpp" | "vllm" | "lmStudio";

/** The default port of each model server. */
export const DEFAULT_PORTS: Record<ModelServer, number> = {
  ollama: 11434,
  llamaCpp: 8080,
  vllm: 8000,
  lmStudio: 1234,
};

/** How a model server is recognized. */
interface Probe {
  name: string;
  path: string;
  /** Whether a response to `path` comes from this model server. */
  recognizes(text: string, headers: Headers): boolean;
  /** The owner that its models have, for a path that other programs answer too. */
  owner?: string;
}

const PROBES: Record<ModelServer, Probe> = {
  ollama: {
    name: "Ollama",
    path: "/api/version",
    recognizes: (text) => textField(parseJson(text), "version") !== undefined,
  },
  llamaCpp: {
    name: "llama.cpp",
    path: "/props",
    // The header is sent even if the path needs a key.
    recognizes: (text, headers) =>
      headers.get("server") === "llama.cpp" ||
      field(parseJson(text), "default_generation_settings") !== undefined,
  },
  vllm: {
    name: "vLLM",
    path: "/version",
    recognizes: (text) => textField(parseJson(text), "version") !== undefined,
    owner: "vllm",
  },
  lmStudio: {
    name: "LM Studio",
    path: "/api/v0/models",
    recognizes: (text) => Array.isArray(field(parseJson(text), "data")),
  },
};

const LIMIT_MS = 1500;
const BODY_BYTES_MAX = 4 * 1024 * 1024;

interface DiscoverOptions {
  /** The address of the server that this agent connects to. It is never taken for a model server. */
  server: string;
  key?: string | undefined;
  ports?: Record<ModelServer, number>;
  limitMs?: number;
}

/**
 * Looks on this machine for the usual model servers, each at its default port. Returns those that run: first
 * those with models, else in the order of `DEFAULT_PORTS`. Any other program is not used.
 */
export async function discover({
  server,
  key,
  ports = DEFAULT_PORTS,
  limitMs = LIMIT_MS,
}: DiscoverOptions): Promise<FoundServer[]> {
  const names = Object.keys(DEFAULT_PORTS) as ModelServer[];
  const candidates = names.map((name) => ({ probe: PROBES[name], url: `http://127.0.0.1:${ports[name]}` }));
  const others = candidates.filter(({ url }) => !isSameServer(url, server));
  const results = await Promise.all(others.map(({ probe, url }) => look(probe, url, limitMs, key)));
  const found = results.filter((result) => result !== undefined);
  return found.sort((a, b) => Number(b.models.length > 0) - Number(a.models.length > 0));
}

async function look(
  probe: Probe,
  origin: string,
  limitMs: number,
  key: string | undefined,
): Promise<FoundServer | undefined> {
  try {
    const { response, text } = await requestText(origin + probe.path, { limitMs, bytesMax: BODY_BYTES_MAX });
    if (!probe.recognizes(text ?? "", response.headers)) return undefined;
    const url = `${origin}/v1`;
    const init = { headers: bearer(key) };
    const list = await requestText(`${url}/models`, { init, limitMs, bytesMax: BODY_BYTES_MAX });
    const models = readModelList(list.text ?? "") ?? [];
    if (probe.owner && !models.some(({ owned_by }) => owned_by === probe.owner)) return undefined;
    return { name: probe.name, url, models: models.map(({ id }) => id) };
  } catch {
    return undefined;
  }
}
