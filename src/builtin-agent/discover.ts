import { field, parseJson, textField } from "../json/parse.ts";
import { isSameServer } from "./address.ts";
import { requestText } from "./http.ts";
import { readModelList } from "./model-list.ts";

/** A model server found on this machine. */
export interface Found {
  /** What it is. */
  name: string;
  /** Its OpenAI-compatible base URL. */
  url: string;
  models: readonly string[];
}

export type Backend = "ollama" | "llamaCpp" | "vllm" | "lmStudio";

/** Where each listens unless told otherwise. */
export const USUAL_PORTS: Record<Backend, number> = {
  ollama: 11434,
  llamaCpp: 8080,
  vllm: 8000,
  lmStudio: 1234,
};

interface Look {
  limitMs: number;
  key: string | undefined;
}

interface Kind {
  name: string;
  /** Something of its own that nothing else answers. */
  path: string;
  isIt(text: string, headers: Headers): boolean;
  /** For what others answer too: the owner that its list of models names. */
  owner?: string;
}

const KINDS: Record<Backend, Kind> = {
  ollama: {
    name: "Ollama",
    path: "/api/version",
    isIt: (text) => textField(parseJson(text), "version") !== undefined,
  },
  llamaCpp: {
    name: "llama.cpp",
    path: "/props",
    // The header is there even where the path wants a key.
    isIt: (text, headers) =>
      headers.get("server") === "llama.cpp" ||
      field(parseJson(text), "default_generation_settings") !== undefined,
  },
  vllm: {
    name: "vLLM",
    path: "/version",
    isIt: (text) => textField(parseJson(text), "version") !== undefined,
    owner: "vllm",
  },
  lmStudio: {
    name: "LM Studio",
    path: "/api/v0/models",
    isIt: (text) => Array.isArray(field(parseJson(text), "data")),
  },
};

const LIMIT_MS = 1500;
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Looks on this machine for the model servers that people run, each at its usual port, and gives those that are
 * there: those with models first, else in the order of `USUAL_PORTS`. What does not prove to be one of them is
 * left alone, and `server`, the address this agent connects to, is never one.
 */
export async function discover({
  server,
  key,
  ports = USUAL_PORTS,
  limitMs = LIMIT_MS,
}: {
  server: string;
  key?: string | undefined;
  ports?: Record<Backend, number>;
  limitMs?: number;
}): Promise<Found[]> {
  const names = Object.keys(USUAL_PORTS) as Backend[];
  const urls = names.map((name) => ({ kind: KINDS[name], url: `http://127.0.0.1:${ports[name]}` }));
  const others = urls.filter(({ url }) => !isSameServer(url, server));
  const looked = await Promise.all(others.map(({ kind, url }) => look(kind, url, { limitMs, key })));
  const found = looked.filter((one) => one !== undefined);
  return found.sort((a, b) => Number(b.models.length > 0) - Number(a.models.length > 0));
}

async function look(kind: Kind, origin: string, { limitMs, key }: Look): Promise<Found | undefined> {
  try {
    const { response, text } = await requestText(origin + kind.path, { limitMs, bytesMax: BODY_BYTES_MAX });
    if (!kind.isIt(text ?? "", response.headers)) return undefined;
    const url = `${origin}/v1`;
    const init = { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } };
    const list = await requestText(`${url}/models`, { init, limitMs, bytesMax: BODY_BYTES_MAX });
    const models = readModelList(list.text ?? "") ?? [];
    if (kind.owner && !models.some(({ owned_by }) => owned_by === kind.owner)) return undefined;
    return { name: kind.name, url, models: models.map(({ id }) => id) };
  } catch {
    return undefined;
  }
}
