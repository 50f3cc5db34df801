import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readServerArgs } from "../../src/cli/args.ts";
import type { Config, SettingName } from "../../src/config/settings.ts";
import { faultsOf } from "../support/command-faults.ts";
import { ALERT_DEFAULTS } from "./alert-defaults.ts";
import { CERTIFICATE_DEFAULTS } from "./certificate-defaults.ts";

const PRICES = { currency: "EUR", models: { m: { input: 1 } } };
type Env = Record<string, string | undefined>;

const read = (args: readonly string[], env: Env = {}) => readServerArgs({ args, env });
const configOf = (args: readonly string[], env: Env = {}) => read(["8080", "key", ...args], env).config;

const faults = (args: readonly string[], env: Env = {}) => faultsOf(() => read(args, env));

const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function fileWith(content: string): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await Bun.write(path, content);
  return path;
}

test("a port and a key are enough, and every other setting has its default", () => {
  expect(read(["9000", "the key"]).config).toEqual({
    port: 9000,
    ...{ adminKey: "the key", host: undefined },
    ...{ tlsCert: undefined, tlsKey: undefined },
    ...{ ...CERTIFICATE_DEFAULTS, ...ALERT_DEFAULTS },
    trustProxy: undefined,
    publicUrl: undefined,
    allowedHosts: [],
    data: "./data",
    agentKey: undefined,
    agents: "keyed",
    agentOrigins: ["https://chat.openai.com", "https://chatgpt.com"],
    database: undefined,
    storeGraceMs: 300_000,
    ...{ nats: undefined, natsCreds: undefined, clusterKey: undefined },
    ...{ clusterName: "default", nodeName: undefined },
    sealKey: undefined,
    metricsKey: undefined,
    ...{ queueMax: 1000, queueUserMax: 250, queueWaitMs: 120_000 },
    reconnectGraceMs: 10_000,
    firstByteMs: 600_000,
    betweenDeltasMs: 300_000,
    wholeAnswerMs: 600_000,
    wholeStreamMs: 7_200_000,
    v1Model: "chatgpt",
    ...{ modelAliases: undefined, fallbacks: undefined, prices: undefined, conversationLengthMax: 2 ** 20 },
    conversationQuotaBytes: 100 * 2 ** 20,
    pingEveryMs: 30_000,
    ...{ pongWithinMs: 5_000, helloWithinMs: 10_000 },
    ...{ lameDuckMs: 0, drainMs: 30_000 },
    ...{ autoUpdate: false, updateFrom: undefined, requireProvenance: false, updateRequest: undefined },
    ...{ conversationDays: 30, usageDays: 365, auditDays: 730 },
    ...{ responseMemoryBytes: 64 * 1024 ** 2, responsesDays: undefined, responseGraceMs: 30_000 },
    ...{ bodyBytesMax: 30 * 1024 ** 2, bodiesBytesMax: undefined },
    ...{ uploadBytesMax: 512 * 1024 ** 2, uploadsBytesMax: 4 * 1024 ** 3 },
    frameBytesMax: 64 * 1024 ** 2,
    ...{ bodyWithinMs: 60_000, addressRequestsMax: 1000 },
    agentsMax: 10_000,
    agentFailuresMax: 3,
    affinityWaitMs: 1_000,
    keyFailuresMax: 30,
    sessionMs: 12 * 3_600_000,
    upstreams: undefined,
    upstreamKeys: undefined,
    models: undefined,
    endpoints: undefined,
    slots: ["auto"],
    name: undefined,
    priority: 0,
    weight: 1,
    tags: undefined,
    echo: false,
    logLevel: "info",
    logFormat: "auto",
  });
});

test("the settings cannot be changed after they were read", () => {
  const config = configOf([]);
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.agentOrigins)).toBe(true);
});

describe("the command line", () => {
  test("a flag takes its value after a blank or an equals sign", () => {
    expect(configOf(["--queue-max", "7", "--data=/a=b"])).toMatchObject({ queueMax: 7, data: "/a=b" });
  });

  test.each(["--host", "--listen", "-listen"])("the address may be given with %s", (flag) => {
    expect(configOf([flag, "10.0.0.1"]).host).toBe("10.0.0.1");
    expect(configOf([`${flag}=::1`]).host).toBe("::1");
  });

  test("flags may stand before, between and after the arguments", () => {
    const { config } = read(["--data", "d", "1", "--agents", "open", "key", "--drain", "1"]);
    expect(config).toMatchObject({ port: 1, adminKey: "key", data: "d", agents: "open", drainMs: 1000 });
  });

  test("a key may begin with a dash after --, and a negative number may be a key anywhere", () => {
    expect(read(["--drain", "1s", "--", "8080", "-key"]).config.adminKey).toBe("-key");
    expect(read(["8080", "-1"]).config.adminKey).toBe("-1");
  });

  test("an empty value counts as a value", () => {
    expect(faults(["8080", "key", "--data="], { CHATGPT_API_DATA: "d" })).toEqual([
      '--data "" is not valid. Give a folder.',
    ]);
  });
});

describe("precedence", () => {
  const env = { CHATGPT_API_PORT: "2", PORT: "3", CHATGPT_API_ADMIN_KEY: "prefixed", ADMIN_KEY: "plain" };

  test("the command line wins over the prefixed variable, the plain variable and the default", () => {
    const from = (args: string[], more: Env) => {
      const { config, origins } = read(args, more);
      return [config.port, origins.port, config.adminKey, origins.adminKey];
    };
    expect(from(["1", "given"], env)).toEqual([1, "first argument", "given", "second argument"]);
    expect(from(["--port", "1"], env)).toEqual([1, "--port", "prefixed", "CHATGPT_API_ADMIN_KEY"]);
    expect(from([], env)).toEqual([2, "CHATGPT_API_PORT", "prefixed", "CHATGPT_API_ADMIN_KEY"]);
    expect(from([], { PORT: "3", ADMIN_KEY: "plain" })).toEqual([3, "PORT", "plain", "ADMIN_KEY"]);
    expect(from([], { ADMIN_KEY: "plain" })).toEqual([8080, "default", "plain", "ADMIN_KEY"]);
  });

  test("an empty variable counts as not given", () => {
    expect(configOf([], { CHATGPT_API_PORT: "", CHATGPT_API_HOST: "", AGENT_KEY: "" })).toMatchObject({
      host: undefined,
      agentKey: undefined,
    });
    expect(read([], { CHATGPT_API_ADMIN_KEY: "", ADMIN_KEY: "plain" }).config.adminKey).toBe("plain");
  });

  test("an invalid value in a place that does not count is not a fault", () => {
    expect(configOf(["--drain", "1"], { CHATGPT_API_DRAIN: "soon" }).drainMs).toBe(1000);
  });

  test("NATS needs the database and the key that all nodes share", () => {
    const nats = ["--nats", "nats://127.0.0.1"];
    const database = ["--database", "postgres://127.0.0.1/chat"];
    expect(() => configOf(nats)).toThrow("--nats needs --database");
    expect(() => configOf([...nats, ...database])).toThrow("--nats needs --cluster-key");
    const config = configOf([...nats, ...database, "--cluster-key", "c".repeat(32)]);
    expect(config.nats).toEqual(["nats://127.0.0.1"]);
  });

  test.each(["127.0.0.1:4222", "http://host", "nats://host/path", "nats://host,", "nats://u%:p@host"])(
    "%s does not name NATS servers, and is not repeated",
    (servers) => {
      expect(() => configOf(["--nats", servers])).toThrow(
        /^--nats is not valid\. Give addresses such as nats:/,
      );
    },
  );

  test("every setting is read from its own variable", () => {
    const texts: [string, string, SettingName, unknown][] = [
      ["PORT", "81", "port", 81],
      ["ADMIN_KEY", "admin", "adminKey", "admin"],
      ["HOST", "localhost", "host", "localhost"],
      ["TLS_CERT", "/cert.pem", "tlsCert", "/cert.pem"],
      ["TLS_KEY", "/key.pem", "tlsKey", "/key.pem"],
      ["PUBLIC_URL", "https://a.example", "publicUrl", "https://a.example"],
      ["TRUST_PROXY", "loopback", "trustProxy", { networks: ["loopback"] }],
      ["ALLOWED_HOSTS", "a.example, B", "allowedHosts", ["a.example", "b"]],
      ["DATA", "/data", "data", "/data"],
      ["DATABASE", "postgres://u:p@db:5432/chat", "database", "postgres://u:p@db:5432/chat"],
      ["STORE_GRACE", "10m", "storeGraceMs", 600_000],
      ["NATS", "nats://a:4222, tls://b", "nats", ["nats://a:4222", "tls://b"]],
      ["NATS_CREDS", "/run/nats.creds", "natsCreds", "/run/nats.creds"],
      ["CLUSTER_NAME", "staging", "clusterName", "staging"],
      ["NODE_NAME", "one", "nodeName", "one"],
      ["CLUSTER_KEY", "c".repeat(32), "clusterKey", "c".repeat(32)],
      ["AGENT_KEY", "agent-key", "agentKey", "agent-key"],
      ["AGENTS", "open", "agents", "open"],
      ["AGENT_ORIGINS", "https://a.example", "agentOrigins", ["https://a.example"]],
      ["SEAL_KEY", "s".repeat(32), "sealKey", "s".repeat(32)],
      ["METRICS_KEY", "metrics-key-0123", "metricsKey", "metrics-key-0123"],
      ["QUEUE_MAX", "2", "queueMax", 2],
      ["QUEUE_USER_MAX", "3", "queueUserMax", 3],
      ["QUEUE_WAIT", "4", "queueWaitMs", 4000],
      ["RECONNECT_GRACE", "5", "reconnectGraceMs", 5000],
      ["FIRST_BYTE", "6", "firstByteMs", 6000],
      ["BETWEEN_DELTAS", "6.5", "betweenDeltasMs", 6500],
      ["CONVERSATION_MAX", "1100", "conversationLengthMax", 1100],
      ["CONVERSATION_QUOTA", "2MB", "conversationQuotaBytes", 2 * 2 ** 20],
      ["WHOLE_ANSWER", "6.7", "wholeAnswerMs", 6700],
      ["WHOLE_STREAM", "6.8", "wholeStreamMs", 6800],
      ["V1_MODEL", "web", "v1Model", "web"],
      ["FALLBACK", "a=b, c; d:7b = e", "fallbacks", { a: ["b", "c"], "d:7b": ["e"] }],
      ["MODEL_ALIAS", "a=b, c = d:7b", "modelAliases", { a: "b", c: "d:7b" }],
      ["PING_EVERY", "7", "pingEveryMs", 7000],
      ["PONG_WITHIN", "8", "pongWithinMs", 8000],
      ["HELLO_WITHIN", "9", "helloWithinMs", 9000],
      ["LAME_DUCK", "10.5", "lameDuckMs", 10_500],
      ["DRAIN", "10", "drainMs", 10_000],
      ["RESPONSE_MEMORY", "10MB", "responseMemoryBytes", 10 * 1024 ** 2],
      ["RESPONSES_DAYS", "7", "responsesDays", 7],
      ["RESPONSE_GRACE", "5s", "responseGraceMs", 5_000],
      ["CONVERSATION_DAYS", "11", "conversationDays", 11],
      ["USAGE_DAYS", "12", "usageDays", 12],
      ["PRICES", JSON.stringify(PRICES), "prices", PRICES],
      ["AUDIT_DAYS", "13", "auditDays", 13],
      ["BODY_MAX", "1200", "bodyBytesMax", 1200],
      ["BODIES_MAX", "2MB", "bodiesBytesMax", 2 * 1024 ** 2],
      ["UPLOAD_MAX", "3MB", "uploadBytesMax", 3 * 1024 ** 2],
      ["UPLOADS_MAX", "4MB", "uploadsBytesMax", 4 * 1024 ** 2],
      ["FRAME_MAX", "1300", "frameBytesMax", 1300],
      ["BODY_WITHIN", "14", "bodyWithinMs", 14_000],
      ["ADDRESS_REQUESTS_MAX", "15", "addressRequestsMax", 15],
      ["AGENTS_MAX", "16", "agentsMax", 16],
      ["AGENT_FAILURES_MAX", "18", "agentFailuresMax", 18],
      ["AFFINITY_WAIT", "2s", "affinityWaitMs", 2_000],
      ["KEY_FAILURES_MAX", "17", "keyFailuresMax", 17],
      ["SESSION", "8h", "sessionMs", 28_800_000],
      ["UPSTREAM", "http://gpu:8000/v1, b:1", "upstreams", ["http://gpu:8000/v1", "http://b:1"]],
      ["UPSTREAM_KEY", "upstream-key\nnone", "upstreamKeys", ["upstream-key", undefined]],
      ["MODEL", "a, b:7b", "models", ["a", "b:7b"]],
      ["ENDPOINT", "responses", "endpoints", ["responses"]],
      ["SLOTS", "12, auto", "slots", [12, "auto"]],
      ["NAME", "desk", "name", "desk"],
      ["PRIORITY", "-12", "priority", -12],
      ["WEIGHT", "2.5", "weight", 2.5],
      ["TAG", "home, gpu", "tags", ["home", "gpu"]],
      ["ECHO", "yes", "echo", true],
      ["AUTO_UPDATE", "yes", "autoUpdate", true],
      ["UPDATE_FROM", "https://a.example/releases/", "updateFrom", "https://a.example/releases"],
      ["REQUIRE_PROVENANCE", "yes", "requireProvenance", true],
      ["UPDATE_REQUEST", "/run/it/update", "updateRequest", "/run/it/update"],
      ["LOG_LEVEL", "debug", "logLevel", "debug"],
      ["LOG", "pretty", "logFormat", "pretty"],
    ];
    const env = Object.fromEntries(texts.map(([name, text]) => [`CHATGPT_API_${name}`, text]));
    const expected = Object.fromEntries(texts.map(([, , setting, value]) => [setting, value]));
    expect(read([], env)).toMatchObject({ config: expected as unknown as Config, warnings: [] });
    const names = Object.keys({ ...expected, ...CERTIFICATE_DEFAULTS, ...ALERT_DEFAULTS });
    expect(Object.keys(configOf([])).sort()).toEqual(names.sort());
  });
});

describe("a secret's file", () => {
  test("a secret is read from its file without the line break at the end", async () => {
    const files = {
      ADMIN_KEY_FILE: await fileWith("admin from file\n"),
      CHATGPT_API_AGENT_KEY_FILE: await fileWith("agent.from_file\r\n"),
      CHATGPT_API_SEAL_KEY_FILE: await fileWith("s".repeat(40)),
    };
    expect(read([], files).config).toMatchObject({
      adminKey: "admin from file",
      agentKey: "agent.from_file",
      sealKey: "s".repeat(40),
    });
    expect(read(["1", "given"], files).config.adminKey).toBe("given");
  });

  test("a secret's file beside its variable is a fault", async () => {
    const path = await fileWith("one");
    expect(faults([], { ADMIN_KEY: "two", ADMIN_KEY_FILE: path })).toEqual([
      "ADMIN_KEY and ADMIN_KEY_FILE are both set. Unset one.",
    ]);
  });

  test("a secret's file may stand beside an empty variable, as compose files leave it", async () => {
    expect(read([], { ADMIN_KEY: "", ADMIN_KEY_FILE: await fileWith("one") }).config.adminKey).toBe("one");
  });

  test("a secret's file that cannot be read is one fault, which names the variable but not its value", () => {
    const say = (reason: string) => `The file that ADMIN_KEY_FILE names cannot be read. ${reason}`;
    expect(faults([], { ADMIN_KEY_FILE: join(folder, "absent") })).toEqual([
      say("It does not exist. Check the path."),
    ]);
    expect(faults([], { ADMIN_KEY_FILE: folder })).toEqual([
      say("It is a folder. Move it away, or choose another path."),
    ]);
  });

  test("an empty file is a fault, for the admin key and for other secrets", async () => {
    const path = await fileWith("\n");
    expect(
      faults([], { ADMIN_KEY_FILE: path, AGENT_KEY_FILE: path }).map((line) => line.slice(0, 54)),
    ).toEqual([
      "ADMIN_KEY_FILE is not valid. The admin key is empty. G",
      "AGENT_KEY_FILE is not valid. Give 8 to 256 characters:",
    ]);
  });

  test("a setting that is not a secret is not read from a file", () => {
    expect(read(["1", "k"], { CHATGPT_API_DATA_FILE: "/etc/hostname" }).warnings).toEqual([
      "Ignored unknown variables: CHATGPT_API_DATA_FILE",
    ]);
  });
});
