import { shellQuote } from "../../../shell-quote.ts";
import { type ServerAddress, urlOf } from "./server-address.ts";

export type SourceKind =
  | "firefox"
  | "ollama"
  | "llama-cpp"
  | "vllm"
  | "lm-studio"
  | "api"
  | "echo"
  | "python"
  | "own";

/** What brings models, and how it is joined. */
export interface ModelSource {
  kind: SourceKind;
  title: string;
  about: string;
  /** `built-in` is the executable's own agent, before a model server unless it echoes. */
  by: "built-in" | "endpoint" | "url";
  /** Where its model server listens unless told otherwise. */
  upstream?: string;
  /** Its key's name, where nothing better is said. */
  keyName: string;
}

export const SOURCES: readonly ModelSource[] = [
  {
    kind: "firefox",
    title: "Firefox",
    about: "A tab with ChatGPT, by the extension",
    by: "endpoint",
    keyName: "firefox",
  },
  {
    kind: "ollama",
    title: "Ollama",
    about: "Its models, as they are pulled",
    by: "built-in",
    upstream: "http://localhost:11434",
    keyName: "ollama",
  },
  {
    kind: "llama-cpp",
    title: "llama.cpp",
    about: "llama-server",
    by: "built-in",
    upstream: "http://localhost:8080",
    keyName: "llama.cpp",
  },
  {
    kind: "vllm",
    title: "vLLM",
    about: "vllm serve",
    by: "built-in",
    upstream: "http://localhost:8000",
    keyName: "vllm",
  },
  {
    kind: "lm-studio",
    title: "LM Studio",
    about: "With its local server started",
    by: "built-in",
    upstream: "http://localhost:1234",
    keyName: "lm studio",
  },
  {
    kind: "api",
    title: "OpenAI-style API",
    about: "Any server or paid API",
    by: "built-in",
    upstream: "https://api.example.com/v1",
    keyName: "api",
  },
  {
    kind: "python",
    title: "Python agent",
    about: "ChatGPT in a container",
    by: "url",
    keyName: "python",
  },
  {
    kind: "own",
    title: "Your own",
    about: "In any language",
    by: "url",
    keyName: "own agent",
  },
  {
    kind: "echo",
    title: "Echo",
    about: "To try it without a model",
    by: "built-in",
    keyName: "echo",
  },
];

export function sourceOf(kind: SourceKind): ModelSource {
  return SOURCES.find((choice) => choice.kind === kind) as ModelSource;
}

/** The Firefox agent speaks no TLS. */
export function canReach(kind: SourceKind, { isSecure }: ServerAddress): boolean {
  return sourceOf(kind).by !== "endpoint" || !isSecure;
}

export interface JoinOptions {
  kind: SourceKind;
  server: ServerAddress;
  /** Undefined where none is needed. */
  key: string | undefined;
  /** Of the model server, for the built-in agent. */
  upstream?: string;
  /** The upstream wants a key of its own. */
  hasUpstreamKey?: boolean;
  by?: "executable" | "docker";
}

/** What stands for a key that is not typed here. */
export const UPSTREAM_KEY_SAMPLE = "sk-your-key";

/**
 * The one line to paste: into a shell for the built-in agent, into the agent's settings for the others. Undefined where
 * that agent cannot reach the server.
 */
export function joinLine(options: JoinOptions): string | undefined {
  const { kind, server, key } = options;
  const { by } = sourceOf(kind);
  const path = key === undefined ? "" : `/agents/${encodeKey(key)}`;
  if (!canReach(kind, server)) return undefined;
  if (by === "endpoint") return `${server.host}${path}`;
  if (by === "url") return `${server.isSecure ? "wss" : "ws"}://${server.host}${path}/client/register`;
  const address = urlOf(server);
  return options.by === "docker" ? dockerLine(options, address) : executableLine(options, address + path);
}

function executableLine(options: JoinOptions, address: string): string {
  const before = options.hasUpstreamKey ? [`UPSTREAM_KEY=${UPSTREAM_KEY_SAMPLE}`] : [];
  const words = ["agent", address, ...upstreamFlags(options)];
  return [...before, "./chatgpt-api-server", ...words.map(shellQuote)].join(" ");
}

/**
 * The container is the host's neighbour, so that it finds the model server there. The image's health check is one of
 * the server, which an agent would fail.
 */
function dockerLine(options: JoinOptions, address: string): string {
  const variables = [
    ...(options.key === undefined ? [] : [`AGENT_KEY=${options.key}`]),
    ...(options.hasUpstreamKey ? [`UPSTREAM_KEY=${UPSTREAM_KEY_SAMPLE}`] : []),
  ];
  const flags = ["-d", "--restart", "unless-stopped", "--network", "host", "--no-healthcheck"];
  const words = [
    ...flags,
    ...variables.flatMap((variable) => ["-e", variable]),
    "chatgpt-api-server",
    "agent",
    address,
    ...upstreamFlags(options),
  ];
  return ["docker", "run", ...words.map(shellQuote)].join(" ");
}

function upstreamFlags({ kind, upstream }: JoinOptions): string[] {
  if (kind === "echo") return ["--echo"];
  return upstream ? ["--upstream", upstream] : [];
}

/** Of those characters that are left as they are, a shell takes some for its own. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
