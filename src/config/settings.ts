import type { Kind } from "./kinds.ts";
import * as kind from "./kinds.ts";

interface Setting<Value> extends Kind<Value> {
  /** In kebab case; it gives the flag `--slug` and the variable `CHATGPT_API_SLUG`. */
  slug: string;
  /** As an operator would write it. */
  default?: string;
  /** What is said of it where there is no value. */
  absent?: string;
  doc: string;
  /** False: by position or from the environment only. */
  flag?: false;
  /** Further variables; the prefixed one wins. */
  aliases?: readonly string[];
  /** Also read from the file that `<VARIABLE>_FILE` names, and never shown. */
  secret?: true;
  /** What the flag alone stands for; a value is then only taken after an equals sign. */
  bare?: string;
  /** The flag may be given several times; the texts are joined with commas. */
  many?: true;
}

function setting<Value>(
  slug: string,
  kind: Kind<Value>,
  doc: string,
  rest: Omit<Setting<Value>, "slug" | "doc" | keyof Kind<Value>>,
): Setting<Value> {
  return { slug, doc, ...kind, ...rest };
}

/** Every setting there is. Help texts and `config` are made from this table; a test holds the docs to it. */
export const SETTINGS = {
  port: setting("port", kind.whole("port", 0, 65_535), "Port to listen on; 0 takes any free one.", {
    default: "8080",
    aliases: ["PORT"],
  }),
  adminKey: setting("admin-key", kind.adminKey, "Key of the administrator, who may do everything.", {
    flag: false,
    aliases: ["ADMIN_KEY"],
    secret: true,
  }),
  host: setting("host", kind.host, "Address to listen on.", { absent: "every address" }),
  tlsCert: setting("tls-cert", kind.file, "Certificate with its chain, in PEM form, to speak TLS only.", {
    absent: "none",
  }),
  tlsKey: setting("tls-key", kind.file, "Its key, in PEM form.", { absent: "none" }),
  trustProxy: setting(
    "trust-proxy",
    kind.trustProxy,
    "Proxies that are believed where a caller comes from.",
    {
      absent: "none",
    },
  ),
  allowedHosts: setting(
    "allowed-hosts",
    kind.hostNames,
    "Further names by which it may be called on its own machine.",
    { default: "none" },
  ),
  data: setting("data", kind.folder, "Folder of the database and the generated keys.", { default: "./data" }),
  agentKey: setting("agent-key", kind.agentKey, "Key of the agents. If set, local agents need it too.", {
    absent: "generated",
    aliases: ["AGENT_KEY"],
    secret: true,
  }),
  agents: setting("agents", kind.choice("keyed", "open"), "open: any agent may register, without a key.", {
    default: "keyed",
  }),
  v1Model: setting("v1-model", kind.modelName, "Name of the model that agents of protocol 1 offer.", {
    default: "chatgpt",
  }),
  modelAliases: setting("model-alias", kind.aliases, "Other name for a model, name=model; may be repeated.", {
    absent: "none",
    many: true,
  }),
  agentOrigins: setting("agent-origins", kind.origins, "Web origins of local agents that need no key.", {
    default: "null,https://chat.openai.com,https://chatgpt.com",
  }),
  sealKey: setting("seal-key", kind.sealKey, "Encrypts the users' tokens in the database.", {
    absent: "generated",
    flag: false,
    secret: true,
  }),
  metricsKey: setting("metrics-key", kind.metricsKey, "Opens GET /metrics, and nothing else.", {
    absent: "none",
    secret: true,
  }),
  queueMax: setting("queue-max", kind.whole("number", 1, 100_000), "Asks of all users that may wait.", {
    default: "1000",
  }),
  queueUserMax: setting(
    "queue-user-max",
    kind.whole("number", 1, 100_000),
    "Asks of one user that may wait.",
    {
      default: "250",
    },
  ),
  queueWaitMs: setting("queue-wait", kind.time("100ms", "1h"), "How long an ask waits for a free agent.", {
    default: "2m",
  }),
  reconnectGraceMs: setting(
    "reconnect-grace",
    kind.time("0s", "10m"),
    "How long asks wait when the last agent left.",
    {
      default: "10s",
    },
  ),
  firstByteMs: setting(
    "first-byte",
    kind.time("100ms", "15m"),
    "How long an agent may take to begin its answer.",
    {
      default: "2m",
    },
  ),
  wholeAnswerMs: setting(
    "whole-answer",
    kind.time("100ms", "1h"),
    "How long an agent may take for an answer that is not streamed.",
    { default: "10m" },
  ),
  betweenDeltasMs: setting(
    "between-deltas",
    kind.time("100ms", "15m"),
    "How long a streamed answer may pause.",
    { default: "1m" },
  ),
  pingEveryMs: setting("ping-every", kind.time("100ms", "10m"), "How often an idle agent is pinged.", {
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
  helloWithinMs: setting(
    "hello-within",
    kind.time("100ms", "1m"),
    "How long a new agent may take to say its id.",
    {
      default: "10s",
    },
  ),
  drainMs: setting("drain", kind.time("0s", "1h"), "How long running asks may take to finish at shutdown.", {
    default: "30s",
  }),
  conversationDays: setting(
    "conversation-days",
    kind.whole("number", 1, 3650),
    "Days an unused conversation is kept.",
    {
      default: "30",
    },
  ),
  conversationLengthMax: setting(
    "conversation-max",
    kind.size("1KB", "64MB"),
    "Longest conversation that the server keeps, one byte for each UTF-16 code unit.",
    { default: "1MB" },
  ),
  usageDays: setting("usage-days", kind.whole("number", 1, 3650), "Days the record of an ask is kept.", {
    default: "365",
  }),
  auditDays: setting("audit-days", kind.whole("number", 1, 3650), "Days the record of a change is kept.", {
    default: "730",
  }),
  bodyBytesMax: setting("body-max", kind.size("1KB", "512MB"), "Largest body of a request.", {
    default: "20MB",
  }),
  frameBytesMax: setting("frame-max", kind.size("1KB", "512MB"), "Largest frame of an agent.", {
    default: "32MB",
  }),
  bodyWithinMs: setting("body-within", kind.time("100ms", "1h"), "How long a request's body may take.", {
    default: "1m",
  }),
  addressRequestsMax: setting(
    "address-requests-max",
    kind.whole("number", 1, 1_000_000),
    "Requests of one address that are answered at once.",
    { default: "1000" },
  ),
  agentsMax: setting("agents-max", kind.whole("number", 1, 1_000_000), "Sockets of agents.", {
    default: "10000",
  }),
  keyFailuresMax: setting(
    "key-failures-max",
    kind.whole("number", 1, 1_000_000),
    "Wrong keys of one address in a minute.",
    { default: "30" },
  ),
  sessionMs: setting("session", kind.time("1m", "90d"), "How long a browser stays signed in.", {
    default: "12h",
  }),
  upstream: setting(
    "upstream",
    kind.baseUrl,
    "Base URL of the model server that the built-in agent brings.",
    {
      absent: "none",
    },
  ),
  upstreamKey: setting("upstream-key", kind.upstreamKey, "Key that the model server wants.", {
    absent: "none",
    aliases: ["UPSTREAM_KEY"],
    secret: true,
  }),
  models: setting("model", kind.names, "Model that the built-in agent offers; may be repeated.", {
    absent: "all the upstream lists",
    many: true,
  }),
  endpoints: setting("endpoint", kind.names, "Endpoint that it offers; may be repeated.", {
    absent: "found out",
    many: true,
  }),
  // Bun runs 256 requests of a process at once, and some must be left to ask what the upstream has.
  slots: setting("slots", kind.whole("number", 1, 240), "Asks that it takes at once.", { default: "8" }),
  name: setting("name", kind.name, "Name that it goes by.", { absent: "the host's name" }),
  echo: setting("echo", kind.yesNo, "The built-in agent answers with what was asked, without a model.", {
    default: "no",
    bare: "yes",
  }),
  logLevel: setting(
    "log-level",
    kind.choice("debug", "info", "warn", "error"),
    "Least level that is logged.",
    {
      default: "info",
    },
  ),
  logFormat: setting("log", kind.choice("json", "pretty"), "How it is logged; pretty is for people.", {
    default: "json",
  }),
};

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** Frozen. Times in milliseconds, sizes in bytes; `undefined` where the setting is absent. */
export type Config = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

export const PREFIX = "CHATGPT_API_";

/** The variables a setting is read from, the winning one first; for a secret, each also with `_FILE`. */
export function variablesOf(name: SettingName): string[] {
  const { slug, aliases = [] } = SETTINGS[name];
  return [PREFIX + slug.toUpperCase().replaceAll("-", "_"), ...aliases];
}

/** `--port`; undefined for what has no flag. */
export function flagOf(name: SettingName): string | undefined {
  const { slug, flag } = SETTINGS[name];
  return flag === false ? undefined : `--${slug}`;
}
