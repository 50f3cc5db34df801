/** The endpoints of Ollama's own API, by their path below the address of an Ollama. */
export const OLLAMA_ENDPOINTS = ["api/chat", "api/generate", "api/embed"] as const;

/**
 * Counts the input tokens of a chat completion, from its body: `{"input_tokens": 8}`. It has no route of its own; the
 * server uses it for `messages/count_tokens`.
 */
export const COUNT_ENDPOINT = "chat/completions/input_tokens";

/** The endpoints whose requests and answers are JSON, in frames, or streams of events. */
const JSON_ENDPOINTS = [
  "chat/completions",
  "responses",
  "completions",
  "embeddings",
  "messages",
  "messages/count_tokens",
  COUNT_ENDPOINT,
  ...OLLAMA_ENDPOINTS,
  "rerank",
  "moderations",
  "tokenize",
  "detokenize",
] as const;

/** The endpoints whose requests are forms with files, and whose answers may be bytes. */
const UPLOAD_ENDPOINTS = ["audio/transcriptions", "audio/translations", "images/edits"] as const;

/** The endpoints whose answers may be bytes. Only agents with the capability `bytes` get their requests. */
const BYTE_ENDPOINTS = [...UPLOAD_ENDPOINTS, "audio/speech", "images/generations"] as const;

/** The endpoints that an agent may serve, by their path below an OpenAI-compatible base URL; and those of Ollama. */
export const ENDPOINTS = [...JSON_ENDPOINTS, ...BYTE_ENDPOINTS] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** Whether it is an endpoint of Ollama's own API. The stream of its answer is lines of JSON, each of which is a delta. */
export const isOllamaEndpoint = (endpoint: Endpoint): boolean => endpoint.startsWith("api/");

const BYTES: ReadonlySet<string> = new Set(BYTE_ENDPOINTS);
const UPLOADS: ReadonlySet<string> = new Set(UPLOAD_ENDPOINTS);

export const hasByteAnswer = (endpoint: string): boolean => BYTES.has(endpoint);
export const takesUpload = (endpoint: string): boolean => UPLOADS.has(endpoint);

/** Model servers have these at their root, beside `/v1`, too or only. */
export const ROOT_ENDPOINTS: ReadonlySet<string> = new Set(["rerank", "tokenize", "detokenize"]);
