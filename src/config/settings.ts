import { ALERTS } from "./alert-settings.ts";
import { BUILTIN_AGENT } from "./builtin-agent-settings.ts";
import { CERTIFICATE } from "./certificate-settings.ts";
import * as kinds from "./kinds.ts";
import { choice, size, time, whole } from "./kinds.ts";
import { CLUSTER } from "./node-settings.ts";
import { RECORDS } from "./record-settings.ts";
import { database } from "./service-addresses.ts";
import { count, optional, type Setting, setting } from "./setting.ts";
import { UPDATES } from "./update-settings.ts";

export type { Setting } from "./setting.ts";

const SERVER = {
  port: setting("port", "8080", whole("port", 0, 65_535), "Port to listen on; 0 picks a free one.", {
    aliases: ["PORT"],
    withDomain: "443",
  }),
  adminKey: setting(
    "admin-key",
    undefined,
    kinds.adminKey,
    "API key of the administrator. Generated on a terminal, required elsewhere.",
    {
      flag: false,
      aliases: ["ADMIN_KEY"],
      secret: true,
    },
  ),
  host: optional("host", "every address", kinds.host, "Address to listen on."),
  tlsCert: optional("tls-cert", "none", kinds.file, "TLS certificate with its chain, in PEM form."),
  tlsKey: optional("tls-key", "none", kinds.file, "Private key of the certificate, in PEM form."),
  publicUrl: optional(
    "public-url",
    "none",
    kinds.publicUrl,
    "Address at which users and agents reach the server, such as https://chat.example.com.",
    { aliases: ["PUBLIC_URL"] },
  ),
  trustProxy: optional("trust-proxy", "none", kinds.proxies, "Proxies trusted to report a client's address."),
  allowedHosts: setting("allowed-hosts", "none", kinds.hostNames, "Further host names for local calls."),
  data: setting("data", "./data", kinds.folder, "Folder of the database and the generated keys."),
  database: optional("database", "a file in the data folder", database, "PostgreSQL database.", {
    secret: true,
  }),
  storeGraceMs: setting(
    "store-grace",
    "5m",
    time("0s", "1d"),
    "How long known users and agent keys are accepted while the database is away.",
  ),
  sealKey: optional("seal-key", "generated", kinds.sealKey, "Key that encrypts the users' stored tokens.", {
    flag: false,
    secret: true,
  }),
  metricsKey: optional("metrics-key", "none", kinds.metricsKey, "Key for GET /metrics only.", {
    secret: true,
  }),
  sessionMs: setting("session", "12h", time("1m", "90d"), "How long a browser stays signed in."),
  logLevel: setting("log-level", "info", choice("debug", "info", "warn", "error"), "Minimum level to log."),
  logFormat: setting(
    "log",
    "auto",
    choice("auto", "json", "pretty"),
    "Log format; auto is pretty on a terminal, and json elsewhere.",
  ),
};

const AGENTS = {
  agentKey: optional("agent-key", "generated", kinds.agentKey, "Key that agents register with.", {
    aliases: ["AGENT_KEY"],
    secret: true,
  }),
  agents: setting(
    "agents",
    "keyed",
    choice("keyed", "local", "open"),
    "Who needs the agent key: all, all but this machine, or none.",
  ),
  agentOrigins: setting(
    "agent-origins",
    "https://chat.openai.com,https://chatgpt.com",
    kinds.origins,
    "Web origins whose agents need no key with --agents local.",
  ),
  agentsMax: setting("agents-max", "10000", count(1_000_000), "Maximum agent connections."),
  v1Model: setting("v1-model", "chatgpt", kinds.name, "Name of the model that v1 agents offer."),
  modelAliases: optional("model-alias", "none", kinds.aliases, "Another name for a model, as name=model.", {
    many: ",",
  }),
  fallbacks: optional(
    "fallback",
    "none",
    kinds.fallbacks,
    "Models to use when a model cannot answer, as model=other,another.",
    { many: ";" },
  ),
  helloWithinMs: setting("hello-within", "10s", time("100ms", "1m"), "Time-out for a new agent to register."),
  pingEveryMs: setting("ping-every", "30s", time("100ms", "10m"), "How often to ping an agent."),
  pongWithinMs: setting("pong-within", "5s", time("100ms", "1m"), "Time-out for an agent to answer a ping."),
  agentFailuresMax: setting(
    "agent-failures-max",
    "3",
    whole("number", 0, 1_000_000),
    "Failures in a row after which an agent gets no requests for a model; 0: never.",
  ),
  // A body of `--body-max` fits into a frame, even if each of its characters has to be escaped there.
  frameBytesMax: setting(
    "frame-max",
    "64MB",
    size("1KB", "512MB"),
    "Largest frame and streamed answer of an agent.",
  ),
};

const REQUESTS = {
  queueMax: setting("queue-max", "1000", count(100_000), "Maximum requests waiting for an agent."),
  queueUserMax: setting("queue-user-max", "250", count(100_000), "Maximum waiting requests per user."),
  queueWaitMs: setting("queue-wait", "2m", time("100ms", "1h"), "How long a request waits for a free agent."),
  affinityWaitMs: setting(
    "affinity-wait",
    "1s",
    time("0s", "1m"),
    "How long a request waits for the agent that answered its conversation.",
  ),
  reconnectGraceMs: setting(
    "reconnect-grace",
    "10s",
    time("0s", "10m"),
    "How long requests wait for an agent to reconnect after the last one left.",
  ),
  firstByteMs: setting("first-byte", "10m", time("100ms", "1h"), "Time-out for the first byte of an answer."),
  betweenDeltasMs: setting("between-deltas", "5m", time("100ms", "1h"), "Time-out between streamed chunks."),
  wholeAnswerMs: setting("whole-answer", "10m", time("100ms", "1h"), "Time-out for a non-streamed answer."),
  wholeStreamMs: setting("whole-stream", "2h", time("1s", "1d"), "Time-out for a whole streamed answer."),
  lameDuckMs: setting(
    "lame-duck",
    "0s",
    time("0s", "5m"),
    "How long requests are still accepted at shutdown, while /ready answers 503.",
    { inCluster: "5s" },
  ),
  drainMs: setting("drain", "30s", time("0s", "1h"), "Time for running requests to finish at shutdown.", {
    inCluster: "10m",
  }),
  bodyBytesMax: setting("body-max", "30MB", size("1KB", "512MB"), "Largest request body."),
  bodiesBytesMax: optional(
    "bodies-max",
    "an eighth of the memory",
    size("1MB", "1024GB"),
    "Bodies of all running requests together.",
  ),
  uploadBytesMax: setting("upload-max", "512MB", size("1KB", "1024GB"), "Largest form with audio or images."),
  uploadsBytesMax: setting(
    "uploads-max",
    "4GB",
    size("1MB", "1024GB"),
    "Forms of all running requests together, in the data folder.",
  ),
  bodyWithinMs: setting("body-within", "1m", time("100ms", "1h"), "Time-out for receiving a request body."),
  addressRequestsMax: setting(
    "address-requests-max",
    "1000",
    count(1_000_000),
    "Maximum concurrent requests from one address.",
  ),
  keyFailuresMax: setting(
    "key-failures-max",
    "30",
    count(1_000_000),
    "Maximum wrong keys from one address per minute.",
  ),
};

/** Every setting. Help texts and `config` come from this table; a test holds docs/configuration.md to it. */
export const SETTINGS = {
  ...{ ...SERVER, ...CERTIFICATE, ...CLUSTER, ...AGENTS, ...REQUESTS, ...RECORDS, ...ALERTS },
  ...{ ...BUILTIN_AGENT, ...UPDATES },
};

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = namesOf(SETTINGS);

/** The settings under the headings of the help text. */
export const SETTING_GROUPS: Record<string, readonly SettingName[]> = {
  "Server settings": namesOf(SERVER),
  "Automatic certificates": namesOf(CERTIFICATE),
  "Cluster settings": namesOf(CLUSTER),
  "Agent settings": namesOf(AGENTS),
  "Request settings": namesOf(REQUESTS),
  "Record settings": namesOf(RECORDS),
  "Alert settings": namesOf(ALERTS),
  "Built-in agent settings": namesOf(BUILTIN_AGENT),
  "Update settings": namesOf(UPDATES),
};

/** All values, frozen. Times are in milliseconds and sizes in bytes. An absent setting is `undefined`. */
export type Config = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

export const PREFIX = "CHATGPT_API_";

/** Returns the variables of a setting, the winning one first. For a secret each also exists with `_FILE`. */
export function variablesOf(name: SettingName): string[] {
  const { slug, aliases = [] } = SETTINGS[name];
  return [PREFIX + slug.toUpperCase().replaceAll("-", "_"), ...aliases];
}

/** Returns the flag of a setting, such as `--port`; undefined if it has none. */
export function flagOf(name: SettingName): string | undefined {
  const { slug, flag } = SETTINGS[name];
  return flag === false ? undefined : `--${slug}`;
}

/** The source of each setting: a flag, a variable, the place of an argument, or `default`. */
export type Origins = Readonly<Record<SettingName, string>>;

type Description = Record<"value" | "from" | "label" | "about", string>;

/** Without a value of their own, they follow from the cluster key. */
const DERIVED: ReadonlySet<SettingName> = new Set(["agentKey", "sealKey"]);
const DERIVED_TEXT = "derived from the cluster key";

/** Describes each setting as an operator would write it, in the order of the table. Secrets are masked. */
export function describeSettings(config: Config, origins?: Origins): Record<SettingName, Description> {
  const describe = (name: SettingName): Description => {
    const { slug, help: about, absent, secret, show = String } = SETTINGS[name];
    const value = config[name];
    const shown = () => (secret ? "***" : (show as (value: unknown) => string)(value));
    const isDerived = config.clusterKey !== undefined && DERIVED.has(name);
    const text = value === undefined ? `(${isDerived ? DERIVED_TEXT : absent})` : shown();
    return { value: text, from: origins?.[name] ?? "default", label: flagOf(name) ?? slug, about };
  };
  const entries = SETTING_NAMES.map((name) => [name, describe(name)]);
  return Object.fromEntries(entries);
}

function namesOf<Group extends object>(group: Group): (keyof Group)[] {
  return Object.keys(group) as (keyof Group)[];
}
