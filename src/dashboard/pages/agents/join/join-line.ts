import { powershellQuote, shellQuote } from "../../../../shell-quote.ts";
import { text } from "../../../texts/texts.ts";
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

/** A kind of model source, and how its agent connects. */
export interface ModelSource {
  kind: SourceKind;
  title: string;
  about: string;
  /**
   * The executable's own agent, in front of a model server unless it echoes; an endpoint for Firefox; or a
   * URL.
   */
  by: "built-in" | "endpoint" | "url";
  /** The default address of the model server. */
  upstream?: string;
  /** The suggested name for the agent's key. */
  keyName: string;
}

export const SOURCES: readonly ModelSource[] = [
  {
    kind: "firefox",
    title: text("join.source.firefox"),
    about: text("join.source.firefox.about"),
    by: "endpoint",
    keyName: "firefox",
  },
  {
    kind: "ollama",
    title: text("join.source.ollama"),
    about: text("join.source.ollama.about"),
    by: "built-in",
    upstream: "http://localhost:11434",
    keyName: "ollama",
  },
  {
    kind: "llama-cpp",
    title: text("join.source.llama-cpp"),
    about: text("join.source.llama-cpp.about"),
    by: "built-in",
    upstream: "http://localhost:8080",
    keyName: "llama.cpp",
  },
  {
    kind: "vllm",
    title: text("join.source.vllm"),
    about: text("join.source.vllm.about"),
    by: "built-in",
    upstream: "http://localhost:8000",
    keyName: "vllm",
  },
  {
    kind: "lm-studio",
    title: text("join.source.lm-studio"),
    about: text("join.source.lm-studio.about"),
    by: "built-in",
    upstream: "http://localhost:1234",
    keyName: "lm studio",
  },
  {
    kind: "api",
    title: text("join.source.api"),
    about: text("join.source.api.about"),
    by: "built-in",
    upstream: "https://api.example.com/v1",
    keyName: "api",
  },
  {
    kind: "python",
    title: text("join.source.python"),
    about: text("join.source.python.about"),
    by: "url",
    keyName: "python",
  },
  {
    kind: "own",
    title: text("join.source.own"),
    about: text("join.source.own.about"),
    by: "url",
    keyName: "own agent",
  },
  {
    kind: "echo",
    title: text("join.source.echo"),
    about: text("join.source.echo.about"),
    by: "built-in",
    keyName: "echo",
  },
];

export function sourceOf(kind: SourceKind): ModelSource {
  return SOURCES.find((choice) => choice.kind === kind) as ModelSource;
}

/** Whether the source's agent can connect to the server. The Firefox agent does not support TLS. */
export function canReach(kind: SourceKind, { isSecure }: ServerAddress): boolean {
  return sourceOf(kind).by !== "endpoint" || !isSecure;
}

export interface JoinOptions {
  kind: SourceKind;
  server: ServerAddress;
  /** Undefined if none is needed. */
  key: string | undefined;
  /** The address of the model server, for the built-in agent. */
  upstream?: string;
  /** Whether the upstream needs a key of its own. */
  hasUpstreamKey?: boolean;
  by?: RunBy;
}

/** How the built-in agent is run. */
export type RunBy = "executable" | "windows" | "docker";

/** A placeholder for a key that is not typed on this page. */
export const UPSTREAM_KEY_SAMPLE = "sk-your-key";

/**
 * Returns the line to paste: into a shell for the built-in agent, into the agent's settings for the others.
 * Returns undefined if that agent cannot connect to the server.
 */
export function joinLine(options: JoinOptions): string | undefined {
  const { kind, server, key } = options;
  const { by } = sourceOf(kind);
  const path = key === undefined ? "" : `/agents/${encodeKey(key)}`;
  if (!canReach(kind, server)) return undefined;
  if (by === "endpoint") return `${server.host}${path}`;
  if (by === "url") return `${server.isSecure ? "wss" : "ws"}://${server.host}${path}/client/register`;
  const address = urlOf(server);
  if (options.by === "docker") return dockerLine(options, address);
  if (options.by === "windows") return powerShellLine(options, address + path);
  return executableLine(options, address + path);
}

function executableLine(options: JoinOptions, address: string): string {
  const before = options.hasUpstreamKey ? [`UPSTREAM_KEY=${UPSTREAM_KEY_SAMPLE}`] : [];
  const words = ["agent", address, ...upstreamFlags(options)];
  return [...before, "./chatgpt-api-server", ...words.map(shellQuote)].join(" ");
}

/** A line for PowerShell, which has other quotes and sets variables in another way. */
function powerShellLine(options: JoinOptions, address: string): string {
  const quote = (word: string) => (/^[\w.:/%-]+$/.test(word) ? word : powershellQuote(word));
  const before = options.hasUpstreamKey ? `$env:UPSTREAM_KEY='${UPSTREAM_KEY_SAMPLE}'; ` : "";
  const words = ["agent", address, ...upstreamFlags(options)];
  return `${before}.\\chatgpt-api-server.exe ${words.map(quote).join(" ")}`;
}

/**
 * The container uses the host's network, so that it finds the model server there. The image's health check is
 * off, because it checks a server, and an agent would fail it.
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

/**
 * Encodes a key for a URL, including the characters that `encodeURIComponent` keeps but that a shell
 * interprets.
 */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
