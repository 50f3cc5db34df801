import {
  adminKey,
  agentKey,
  aliases,
  baseUrl,
  choice,
  file,
  folder,
  host,
  hostNames,
  type Kind,
  metricsKey,
  modelName,
  name,
  names,
  origins,
  sealKey,
  size,
  time,
  trustProxy,
  upstreamKey,
  whole,
  yesNo,
} from "./kinds.ts";

export interface Setting<Value> extends Kind<Value> {
  /** The name in kebab case, which makes the flag `--slug` and the variable `CHATGPT_API_SLUG`. */
  slug: string;
  help: string;
  /** The default, as an operator would write it. */
  default?: string;
  /** The text of the help instead of a default. */
  absent?: string;
  /** False for a setting without a flag, which is read from its position or the environment only. */
  flag?: false;
  /** Further variables. The prefixed one wins. */
  aliases?: readonly string[];
  /** Whether it is also read from the file that `<VARIABLE>_FILE` names, and never shown. */
  secret?: true;
  /** The value of the flag alone. Another value then needs an equals sign. */
  bare?: string;
  /** Whether the flag may be repeated. The texts are joined with commas. */
  many?: true;
}

/**
 * A default in parentheses says what happens without a value. An empty one means that a value is required.
 */
function setting<Value>(
  slug: string,
  byDefault: string,
  kind: Kind<Value>,
  help: string,
  rest: Pick<Setting<Value>, "flag" | "aliases" | "secret" | "bare" | "many"> = {},
): Setting<Value> {
  const [, absent] = /^\((.*)\)$/.exec(byDefault) ?? [];
  const fallback = absent !== undefined ? { absent } : byDefault === "" ? {} : { default: byDefault };
  return { slug, help, ...fallback, ...kind, ...rest };
}

const SERVER = {
  port: setting("port", "8080", whole("port", 0, 65_535), "Port to listen on; 0 picks a free one.", {
    aliases: ["PORT"],
  }),
  adminKey: setting("admin-key", "", adminKey, "API key of the administrator. Required.", {
    flag: false,
    aliases: ["ADMIN_KEY"],
    secret: true,
  }),
  host: setting("host", "(every address)", host, "Address to listen on."),
  tlsCert: setting("tls-cert", "(none)", file, "TLS certificate with its chain, in PEM form."),
  tlsKey: setting("tls-key", "(none)", file, "Private key of the certificate, in PEM form."),
  trustProxy: setting("trust-proxy", "(none)", trustProxy, "Proxies trusted to report the client's address."),
  allowedHosts: setting(
    "allowed-hosts",
    "none",
    hostNames,
    "Further host names for calls from this machine.",
  ),
  data: setting("data", "./data", folder, "Folder of the database and the generated keys."),
  sealKey: setting(
    "seal-key",
    "(generated)",
    sealKey,
    "Key that encrypts the users' tokens in the database.",
    { flag: false, secret: true },
  ),
  metricsKey: setting("metrics-key", "(none)", metricsKey, "API key for GET /metrics, and nothing else.", {
    secret: true,
  }),
  sessionMs: setting("session", "12h", time("1m", "90d"), "How long a browser stays signed in."),
  logLevel: setting("log-level", "info", choice("debug", "info", "warn", "error"), "Minimum level to log."),
  logFormat: setting("log", "json", choice("json", "pretty"), "Log format; pretty is for people."),
};

const AGENTS = {
  agentKey: setting(
    "agent-key",
    "(generated)",
    agentKey,
    "Key that agents register with. If set, local agents need it too.",
    { aliases: ["AGENT_KEY"], secret: true },
  ),
  agents: setting("agents", "keyed", choice("keyed", "open"), "open: any agent may register, without a key."),
  agentOrigins: setting(
    "agent-origins",
    "null,https://chat.openai.com,https://chatgpt.com",
    origins,
    "Web origins whose local agents need no key.",
  ),
  agentsMax: setting("agents-max", "10000", whole("number", 1, 1_000_000), "Maximum agent connections."),
  v1Model: setting("v1-model", "chatgpt", modelName, "Name of the model that v1 agents offer."),
  modelAliases: setting(
    "model-alias",
    "(none)",
    aliases,
    "Another name for a model, as name=model; may be repeated.",
    { many: true },
  ),
  helloWithinMs: setting(
    "hello-within",
    "10s",
    time("100ms", "1m"),
    "How long a new agent may take to register.",
  ),
  pingEveryMs: setting("ping-every", "30s", time("100ms", "10m"), "How often to ping an idle agent."),
  pongWithinMs: setting(
    "pong-within",
    "5s",
    time("100ms", "1m"),
    "How long an agent may take to answer a ping.",
  ),
  frameBytesMax: setting("frame-max", "32MB", size("1KB", "512MB"), "Largest frame that an agent may send."),
};

const REQUESTS = {
  queueMax: setting(
    "queue-max",
    "1000",
    whole("number", 1, 100_000),
    "Maximum requests waiting for an agent.",
  ),
  queueUserMax: setting(
    "queue-user-max",
    "250",
    whole("number", 1, 100_000),
    "Maximum requests of one user waiting for an agent.",
  ),
  queueWaitMs: setting("queue-wait", "2m", time("100ms", "1h"), "How long a request waits for a free agent."),
  reconnectGraceMs: setting(
    "reconnect-grace",
    "10s",
    time("0s", "10m"),
    "How long requests wait for an agent to reconnect after the last one left.",
  ),
  firstByteMs: setting("first-byte", "2m", time("100ms", "15m"), "Time-out for the first byte of an answer."),
  betweenDeltasMs: setting(
    "between-deltas",
    "1m",
    time("100ms", "15m"),
    "Time-out between two chunks of a streamed answer.",
  ),
  wholeAnswerMs: setting(
    "whole-answer",
    "10m",
    time("100ms", "1h"),
    "Time-out for an answer that is not streamed.",
  ),
  drainMs: setting(
    "drain",
    "30s",
    time("0s", "1h"),
    "How long running requests may take to finish at shutdown.",
  ),
  bodyBytesMax: setting("body-max", "20MB", size("1KB", "512MB"), "Largest request body."),
  bodyWithinMs: setting("body-within", "1m", time("100ms", "1h"), "Time-out for receiving a request body."),
  addressRequestsMax: setting(
    "address-requests-max",
    "1000",
    whole("number", 1, 1_000_000),
    "Maximum concurrent requests from one address.",
  ),
  keyFailuresMax: setting(
    "key-failures-max",
    "30",
    whole("number", 1, 1_000_000),
    "Maximum wrong keys from one address per minute.",
  ),
};

const RECORDS = {
  conversationDays: setting(
    "conversation-days",
    "30",
    whole("number", 1, 3650),
    "Days to keep a conversation after its last use.",
  ),
  conversationLengthMax: setting(
    "conversation-max",
    "1MB",
    size("1KB", "64MB"),
    "Longest conversation that the server keeps.",
  ),
  usageDays: setting("usage-days", "365", whole("number", 1, 3650), "Days to keep the record of a request."),
  auditDays: setting("audit-days", "730", whole("number", 1, 3650), "Days to keep the audit of changes."),
};

const BUILTIN_AGENT = {
  upstream: setting(
    "upstream",
    "(none)",
    baseUrl,
    "Base URL of the model server that the built-in agent connects.",
  ),
  upstreamKey: setting("upstream-key", "(none)", upstreamKey, "API key for the model server.", {
    aliases: ["UPSTREAM_KEY"],
    secret: true,
  }),
  models: setting(
    "model",
    "(all models of the upstream)",
    names,
    "Model that the built-in agent offers; may be repeated.",
    { many: true },
  ),
  endpoints: setting(
    "endpoint",
    "(detected)",
    names,
    "Endpoint that the built-in agent offers; may be repeated.",
    { many: true },
  ),
  // Bun runs 256 requests of a process at once. Some must be left for health checks and model lists.
  slots: setting("slots", "8", whole("number", 1, 240), "Concurrent requests the built-in agent accepts."),
  name: setting("name", "(the host's name)", name, "Name of the built-in agent."),
  echo: setting("echo", "no", yesNo, "Run a built-in agent that echoes each question, without a model.", {
    bare: "yes",
  }),
};

/**
 * Every setting. Help texts and `config` are made from this table; a test holds docs/configuration.md to it.
 */
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

/**
 * All values, frozen. Times are in milliseconds and sizes in bytes; a setting that is absent is `undefined`.
 */
export type Config = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

export const PREFIX = "CHATGPT_API_";

/**
 * Returns the variables of a setting, the winning one first. Each variable of a secret also exists with
 * `_FILE`.
 */
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
