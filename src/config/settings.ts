import type { Kind } from "./kinds.ts";
import * as kind from "./kinds.ts";

export interface Setting<Value> extends Kind<Value> {
  /** The name in kebab case, which makes the flag `--slug` and the variable `CHATGPT_API_SLUG`. */
  slug: string;
  help: string;
  /** The default, as an operator would write it. */
  default?: string;
  /** What help texts say instead of a default. */
  absent?: string;
  /** False for a setting without a flag, which is read from its position or the environment only. */
  flag?: false;
  /** Further variables. The prefixed one wins. */
  aliases?: readonly string[];
  /** Whether it is also read from the file that `<VARIABLE>_FILE` names, and never shown. */
  secret?: true;
  /** What the flag alone stands for. A value then needs an equals sign. */
  bare?: string;
  /** Whether the flag may be repeated. The texts are joined with commas. */
  many?: true;
}

function setting<Value>(
  slug: string,
  kind: Kind<Value>,
  help: string,
  rest: Omit<Setting<Value>, "slug" | "help" | keyof Kind<Value>>,
): Setting<Value> {
  return { slug, help, ...kind, ...rest };
}

const SERVER = {
  port: setting("port", kind.whole("port", 0, 65_535), "Port to listen on; 0 picks a free one.", {
    default: "8080",
    aliases: ["PORT"],
  }),
  adminKey: setting("admin-key", kind.adminKey, "API key of the administrator. Required.", {
    flag: false,
    aliases: ["ADMIN_KEY"],
    secret: true,
  }),
  host: setting("host", kind.host, "Address to listen on.", { absent: "every address" }),
  tlsCert: setting("tls-cert", kind.file, "TLS certificate with its chain, in PEM form.", { absent: "none" }),
  tlsKey: setting("tls-key", kind.file, "Private key of the certificate, in PEM form.", { absent: "none" }),
  trustProxy: setting("trust-proxy", kind.trustProxy, "Proxies trusted to report the client's address.", {
    absent: "none",
  }),
  allowedHosts: setting(
    "allowed-hosts",
    kind.hostNames,
    "Further host names under which this machine may call the server.",
    { default: "none" },
  ),
  data: setting("data", kind.folder, "Folder of the database and the generated keys.", { default: "./data" }),
  sealKey: setting("seal-key", kind.sealKey, "Key that encrypts the users' tokens in the database.", {
    absent: "generated",
    flag: false,
    secret: true,
  }),
  metricsKey: setting("metrics-key", kind.metricsKey, "API key for GET /metrics, and nothing else.", {
    absent: "none",
    secret: true,
  }),
  sessionMs: setting("session", kind.time("1m", "90d"), "How long a browser stays signed in.", {
    default: "12h",
  }),
  logLevel: setting("log-level", kind.choice("debug", "info", "warn", "error"), "Minimum level to log.", {
    default: "info",
  }),
  logFormat: setting("log", kind.choice("json", "pretty"), "Log format; pretty is for people.", {
    default: "json",
  }),
};

const AGENTS = {
  agentKey: setting(
    "agent-key",
    kind.agentKey,
    "Key that agents register with. If set, local agents need it too.",
    { absent: "generated", aliases: ["AGENT_KEY"], secret: true },
  ),
  agents: setting("agents", kind.choice("keyed", "open"), "open: any agent may register, without a key.", {
    default: "keyed",
  }),
  agentOrigins: setting("agent-origins", kind.origins, "Web origins whose local agents need no key.", {
    default: "null,https://chat.openai.com,https://chatgpt.com",
  }),
  agentsMax: setting(
    "agents-max",
    kind.whole("number", 1, 1_000_000),
    "Maximum number of agent connections.",
    {
      default: "10000",
    },
  ),
  v1Model: setting("v1-model", kind.modelName, "Name of the model that v1 agents offer.", {
    default: "chatgpt",
  }),
  modelAliases: setting(
    "model-alias",
    kind.aliases,
    "Another name for a model, as name=model; may be repeated.",
    { absent: "none", many: true },
  ),
  helloWithinMs: setting(
    "hello-within",
    kind.time("100ms", "1m"),
    "How long a new agent may take to register.",
    {
      default: "10s",
    },
  ),
  pingEveryMs: setting("ping-every", kind.time("100ms", "10m"), "How often to ping an idle agent.", {
    default: "30s",
  }),
  pongWithinMs: setting(
    "pong-within",
    kind.time("100ms", "1m"),
    "How long an agent may take to answer a ping.",
    {
      default: "5s",
    },
  ),
  frameBytesMax: setting("frame-max", kind.size("1KB", "512MB"), "Largest frame that an agent may send.", {
    default: "32MB",
  }),
};

const REQUESTS = {
  queueMax: setting(
    "queue-max",
    kind.whole("number", 1, 100_000),
    "Maximum number of requests waiting for an agent.",
    {
      default: "1000",
    },
  ),
  queueUserMax: setting(
    "queue-user-max",
    kind.whole("number", 1, 100_000),
    "Maximum number of one user's requests waiting for an agent.",
    { default: "250" },
  ),
  queueWaitMs: setting("queue-wait", kind.time("100ms", "1h"), "How long a request waits for a free agent.", {
    default: "2m",
  }),
  reconnectGraceMs: setting(
    "reconnect-grace",
    kind.time("0s", "10m"),
    "How long requests wait for an agent to reconnect after the last one left.",
    { default: "10s" },
  ),
  firstByteMs: setting("first-byte", kind.time("100ms", "15m"), "Time-out for the first byte of an answer.", {
    default: "2m",
  }),
  betweenDeltasMs: setting(
    "between-deltas",
    kind.time("100ms", "15m"),
    "Time-out between two chunks of a streamed answer.",
    { default: "1m" },
  ),
  wholeAnswerMs: setting(
    "whole-answer",
    kind.time("100ms", "1h"),
    "Time-out for an answer that is not streamed.",
    { default: "10m" },
  ),
  drainMs: setting(
    "drain",
    kind.time("0s", "1h"),
    "How long running requests may take to finish at shutdown.",
    {
      default: "30s",
    },
  ),
  bodyBytesMax: setting("body-max", kind.size("1KB", "512MB"), "Largest request body.", { default: "20MB" }),
  bodyWithinMs: setting("body-within", kind.time("100ms", "1h"), "Time-out for receiving a request body.", {
    default: "1m",
  }),
  addressRequestsMax: setting(
    "address-requests-max",
    kind.whole("number", 1, 1_000_000),
    "Maximum number of concurrent requests from one address.",
    { default: "1000" },
  ),
  keyFailuresMax: setting(
    "key-failures-max",
    kind.whole("number", 1, 1_000_000),
    "Maximum number of wrong keys from one address per minute.",
    { default: "30" },
  ),
};

const RECORDS = {
  conversationDays: setting(
    "conversation-days",
    kind.whole("number", 1, 3650),
    "Days to keep a conversation after its last use.",
    { default: "30" },
  ),
  conversationLengthMax: setting(
    "conversation-max",
    kind.size("1KB", "64MB"),
    "Longest conversation that the server keeps.",
    { default: "1MB" },
  ),
  usageDays: setting("usage-days", kind.whole("number", 1, 3650), "Days to keep the record of a request.", {
    default: "365",
  }),
  auditDays: setting("audit-days", kind.whole("number", 1, 3650), "Days to keep the audit of changes.", {
    default: "730",
  }),
};

const BUILTIN_AGENT = {
  upstream: setting(
    "upstream",
    kind.baseUrl,
    "Base URL of the model server that the built-in agent connects.",
    {
      absent: "none",
    },
  ),
  upstreamKey: setting("upstream-key", kind.upstreamKey, "API key for the model server.", {
    absent: "none",
    aliases: ["UPSTREAM_KEY"],
    secret: true,
  }),
  models: setting("model", kind.names, "Model that the built-in agent offers; may be repeated.", {
    absent: "all models of the upstream",
    many: true,
  }),
  endpoints: setting("endpoint", kind.names, "Endpoint that the built-in agent offers; may be repeated.", {
    absent: "detected",
    many: true,
  }),
  // Bun runs 256 requests of a process at once. Some must be left for health checks and model lists.
  slots: setting("slots", kind.whole("number", 1, 240), "Concurrent requests the built-in agent accepts.", {
    default: "8",
  }),
  name: setting("name", kind.name, "Name of the built-in agent.", { absent: "the host's name" }),
  echo: setting("echo", kind.yesNo, "Run a built-in agent that echoes each question, without a model.", {
    default: "no",
    bare: "yes",
  }),
};

/** Every setting. Help texts and `config` are made from this table; a test holds docs/configuration.md to it. */
export const SETTINGS = { ...SERVER, ...AGENTS, ...REQUESTS, ...RECORDS, ...BUILTIN_AGENT };

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = namesOf(SETTINGS);

/** The settings under the headings of the help text. */
export const SETTING_GROUPS: Record<string, readonly SettingName[]> = {
  "Server settings": namesOf(SERVER),
  "Agent settings": namesOf(AGENTS),
  "Request settings": namesOf(REQUESTS),
  "Record settings": namesOf(RECORDS),
  "Built-in agent settings": namesOf(BUILTIN_AGENT),
};

/** All values, frozen. Times are in milliseconds and sizes in bytes; a setting that is absent is `undefined`. */
export type Config = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

export const PREFIX = "CHATGPT_API_";

/** Returns the variables of a setting, the winning one first. Each variable of a secret also exists with `_FILE`. */
export function variablesOf(name: SettingName): string[] {
  const { slug, aliases = [] } = SETTINGS[name];
  return [PREFIX + slug.toUpperCase().replaceAll("-", "_"), ...aliases];
}

/** Returns the flag of a setting, such as `--port`; undefined if it has none. */
export function flagOf(name: SettingName): string | undefined {
  const { slug, flag } = SETTINGS[name];
  return flag === false ? undefined : `--${slug}`;
}

function namesOf<Group extends object>(group: Group): (keyof Group)[] {
  return Object.keys(group) as (keyof Group)[];
}
