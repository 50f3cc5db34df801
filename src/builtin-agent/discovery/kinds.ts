import { field, textField } from "../../json/parse.ts";
import type { Model } from "../../protocol/agent-v2.ts";

/** The answer of a program to a GET request. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The JSON of the body; undefined if it has none. */
  json: unknown;
  isEmpty: boolean;
}

/** The answers of one program, by their paths. */
export interface Answers {
  /** Returns undefined if the program did not answer in time. */
  at(path: string): Answer | undefined;
  /** The models that it lists without a key. */
  models: readonly Model[];
}

/** How a kind of model server is recognized. */
export interface Kind {
  /** The product's name. */
  name: string;
  /** The name in the name of an agent. */
  slug: string;
  /** The paths whose answers it is recognized by, beside the list of models. */
  paths: readonly string[];
  recognizes(answers: Answers): boolean;
}

/** The list of models, which every kind has. */
export const LIST_PATH = "/v1/models";

/**
 * The kinds of model servers, in the order in which they are tried: many imitate others, so those come first that
 * nothing imitates. KoboldCpp answers like Ollama and llama.cpp too, LocalAI like Ollama, and llama-swap has the path
 * of Ollama's version.
 */
export const KINDS: readonly Kind[] = [
  {
    name: "KoboldCpp",
    slug: "koboldcpp",
    paths: ["/api/extra/version"],
    recognizes: ({ at }) => textField(at("/api/extra/version")?.json, "result") === "KoboldCpp",
  },
  {
    name: "LocalAI",
    slug: "localai",
    paths: ["/.well-known/localai.json", "/readyz", "/version"],
    // Versions without the first path answer the second one with nothing.
    recognizes: ({ at }) =>
      field(at("/.well-known/localai.json")?.json, "endpoints") !== undefined ||
      (isEmptySuccess(at("/readyz")) && hasVersion(at("/version"))),
  },
  {
    name: "Jan",
    slug: "jan",
    paths: ["/openapi.json"],
    recognizes: ({ at }) => /^Jan API/.test(titleIn(at("/openapi.json")) ?? ""),
  },
  {
    name: "llama-swap",
    slug: "llama-swap",
    paths: ["/running"],
    recognizes: ({ at, models }) =>
      models.some(({ owned_by }) => owned_by === "llama-swap") ||
      Array.isArray(field(at("/running")?.json, "running")),
  },
  {
    name: "llama.cpp",
    slug: "llama.cpp",
    paths: ["/props"],
    // The header is sent even if the path needs a key, and while the model is loaded.
    recognizes: ({ at }) =>
      [at(LIST_PATH), at("/props")].some((answer) => answer?.headers.get("server") === "llama.cpp") ||
      field(at("/props")?.json, "default_generation_settings") !== undefined,
  },
  {
    name: "vLLM",
    slug: "vllm",
    paths: ["/version"],
    recognizes: ({ at, models }) =>
      hasVersion(at("/version")) && models.some(({ owned_by }) => owned_by === "vllm"),
  },
  {
    name: "LM Studio",
    slug: "lm-studio",
    paths: ["/api/v0/models"],
    recognizes: ({ at }) => Array.isArray(field(at("/api/v0/models")?.json, "data")),
  },
  {
    name: "Ollama",
    slug: "ollama",
    paths: ["/api/version"],
    recognizes: ({ at }) => hasVersion(at("/api/version")),
  },
];

/** The default ports of these kinds: llama-swap and LocalAI have that of llama.cpp. */
export const DEFAULT_PORTS: readonly number[] = [11434, 8080, 8000, 1234, 1337, 5001];

/** Whether a server of ours answers. An agent that took it for its upstream would get its own requests back. */
export function isOwnServer({ at }: Answers): boolean {
  return titleIn(at("/openapi.json")) === "chatgpt-api-server";
}

/** Every path that tells one kind from another. */
export const PROBED_PATHS: readonly string[] = [...new Set(KINDS.flatMap(({ paths }) => paths))];

function titleIn(answer: Answer | undefined): string | undefined {
  return textField(field(answer?.json, "info"), "title");
}

function hasVersion(answer: Answer | undefined): boolean {
  return textField(answer?.json, "version") !== undefined;
}

function isEmptySuccess(answer: Answer | undefined): boolean {
  return answer?.status === 200 && answer.isEmpty;
}
