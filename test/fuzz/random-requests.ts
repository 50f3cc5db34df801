import { ROUTES } from "../../src/http/resources.ts";
import type { NamedRoute } from "../../src/http/route.ts";
import { malformedRequest, spoil } from "../support/malformed.ts";
import type { Random } from "../support/random.ts";

/** The keys and names that requests use. */
export interface Known {
  adminKey: string;
  token: string;
  agentKey: string;
  /** The ids of users that exist, which requests may change or delete. */
  users: readonly string[];
  models: readonly string[];
}

export interface RandomRequest {
  method: string;
  target: string;
  bytes: Buffer;
  /** Whether the request is valid HTTP with a valid `Host`, so that one response must follow. */
  isSound: boolean;
  /** Whether the connection is of no more use after it. */
  isLast: boolean;
}

type Json = Parameters<typeof spoil>[0];

const OTHER_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
const OTHER_PATHS = ["/", "/nothing", "/v1", "/v1/", "/admin", "/robots.txt", "/v1/v1/chat/completions"];
const ODD_TARGETS = [
  "/dashboard/../admin/users",
  "/%61dmin/users",
  "/./admin",
  "//admin",
  "/%00",
  "/%ff",
  "/a%",
];
const QUERIES = [
  "",
  "",
  "",
  "?",
  "?a=1",
  "?agents=0",
  "?agents=x",
  "?by=user",
  "?by=&user=admin",
  "?limit=2",
];
const ODD_HOSTS = ["a b", "", "evil.example", "a/health?", "[::1", "localhost:99999999", "\u00e9"];
const BACKUP = "/admin/backup";

/** The routes with answers of hundreds of kilobytes, or that read much of the database. */
const LARGE = new Set([
  BACKUP,
  "/openapi.json",
  "/docs",
  "/admin/overview",
  "/admin/usage",
  "/admin/requests",
  "/admin/traffic",
  "/admin/audit",
]);

/** Each user or key that is added stays. */
const isCostly = ({ method, path }: NamedRoute) =>
  LARGE.has(path) || (method === "POST" && /\/(add|keys|rotate)$/.test(path));

/** Returns a request whose route, method, key, headers and body may each be right or wrong. */
export function randomRequest(known: Known, random: Random): RandomRequest {
  const route = random.pick(ROUTES);
  if (isCostly(route) && random.next() < 0.95) return randomRequest(known, random);
  const key = randomKey(known, random);
  const path = randomPath(route, known, random);
  if (random.next() < 0.03) {
    const { bytes } = malformedRequest(path, key ?? "", random);
    return { method: "POST", target: path, bytes, isSound: false, isLast: true };
  }
  const method = random.next() < 0.85 ? route.method : random.pick(OTHER_METHODS);
  const target = path + randomQuery(known, random);
  const { head, isOdd, isUpgrade } = randomHead(path, key, random);
  const body = method === "GET" || isUpgrade ? undefined : randomBody(route, known, random);
  const bytes = encode(`${method} ${target}`, head, body, random);
  const isCut = body !== undefined && random.next() < 0.02;
  return {
    ...{ method, target },
    bytes: isCut ? bytes.subarray(0, bytes.length - 1 - random.below(Math.min(200, body.length + 1))) : bytes,
    isSound: !isOdd && !isCut && !ODD_TARGETS.includes(path),
    isLast: isOdd || isCut || head.has("Connection"),
  };
}

function randomHead(path: string, key: string | undefined, random: Random) {
  const isOdd = random.next() < 0.04;
  const head = new Map([["Host", isOdd ? random.pick(ODD_HOSTS) : "localhost"]]);
  for (const [name, value] of [...keyHeaders(key, random), ...oddHeaders(random)]) head.set(name, value);
  const isUpgrade = /\/(register|live)$/.test(path) && random.next() < 0.5;
  if (isUpgrade) for (const [name, value] of UPGRADE) head.set(name, value);
  return { head, isOdd, isUpgrade };
}

function randomKey(known: Known, random: Random): string | undefined {
  const chance = random.next();
  if (chance < 0.3) return known.token;
  if (chance < 0.65) return known.adminKey;
  if (chance < 0.7) return known.agentKey;
  if (chance < 0.8) return random.pick(["wrong", "", "x".repeat(5000), "\u00e9\u00e9", "Bearer"]);
  return undefined;
}

function keyHeaders(key: string | undefined, random: Random): [string, string][] {
  if (key === undefined) return [];
  const headers: [string, string][] = [["Authorization", random.next() < 0.8 ? `Bearer ${key}` : key]];
  if (random.next() < 0.2) headers.push(["x-api-key", random.pick([key, "other"])]);
  return random.next() < 0.1 ? [["api-key", key]] : headers;
}

function randomPath({ path }: NamedRoute, { agentKey, users, models }: Known, random: Random): string {
  const chance = random.next();
  if (chance < 0.03) return random.pick(OTHER_PATHS);
  if (chance < 0.05) return random.pick(ODD_TARGETS);
  return path.replace(/:(\w+)(\{[^}]*\})?/g, (_, name: string) => {
    if (random.next() < 0.3)
      return random.pick(["x", "%20", "a%2Fb", "0", encodeURIComponent("\u00e9\u0000")]);
    if (name === "key") return agentKey;
    return encodeURIComponent(random.pick([...users, ...models, "x"]));
  });
}

function randomQuery({ adminKey }: Known, random: Random): string {
  const chance = random.next();
  if (chance < 0.02) return `?${"a=1&".repeat(random.below(900))}b`;
  if (chance < 0.03) return `?${"x".repeat(random.below(6000))}`;
  if (chance < 0.06) return `?admin_key=${random.pick([adminKey, "wrong"])}`;
  return random.pick(QUERIES);
}

const UPGRADE: [string, string][] = [
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

const ODD_HEADERS: ((random: Random) => [string, string])[] = [
  () => ["Expect", "100-continue"],
  () => ["Connection", "close"],
  () => ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  (random) => ["traceparent", "0".repeat(random.below(80))],
  (random) => ["X-Forwarded-For", random.pick(["1.2.3.4", "nonsense", "::1, ::2", ",,"])],
  (random) => ["Origin", random.pick(["null", "https://evil.example", "http://localhost"])],
  (random) => ["Cookie", `session-8080=${"a".repeat(random.below(60))}`],
  (random) => ["Accept", random.pick(["text/html", "text/event-stream", "*/*", "text/csv"])],
  (random) => ["Accept-Encoding", random.pick(["gzip", "br;q=0", "", "identity"])],
  (random) => ["X-Request-Id", random.pick(["mine", "x".repeat(90), "\u00e9"])],
  (random) => ["If-None-Match", random.pick(["*", '"x"', "W/"])],
  (random) => ["Range", random.pick(["bytes=0-1", "bytes=9-1", "x"])],
  (random) => ["Content-Type", random.pick(["text/plain", "application/json", "multipart/form-data", ""])],
  (random) => ["X-Long", "x".repeat(random.below(12_000))],
];

function oddHeaders(random: Random): [string, string][] {
  return random.next() < 0.6
    ? []
    : Array.from({ length: 1 + random.below(3) }, () => random.pick(ODD_HEADERS)(random));
}

function randomBody(route: NamedRoute, known: Known, random: Random): Buffer | undefined {
  const example = (route.body?.example ?? {}) as Record<string, unknown>;
  const chance = random.next();
  if (chance < 0.05) return undefined;
  const valid: Record<string, unknown> = { note: 1, ...example };
  if ("model" in valid) valid["model"] = random.pick(known.models);
  if (canStream(route) && random.next() < 0.3) valid["stream"] = random.next() < 0.7;
  if (route.access === "adminOrBody" && random.next() < 0.5)
    valid["admin_key"] = random.pick([known.adminKey, known.token, "wrong"]);
  if (chance < 0.06) valid["more"] = Array.from({ length: random.below(20_000) }, (_, at) => at);
  if (chance < 0.3) return spoil(valid as Json, random).bytes;
  return Buffer.from(JSON.stringify(valid));
}

const canStream = ({ answers }: NamedRoute) => "text/event-stream" in (answers[200]?.other ?? {});

const ENCODERS: Record<string, (bytes: Buffer<ArrayBuffer>) => Uint8Array> = {
  gzip: (bytes) => Bun.gzipSync(bytes),
  deflate: (bytes) => Bun.deflateSync(bytes),
  zstd: (bytes) => Bun.zstdCompressSync(bytes),
  br: (bytes) => bytes,
};

function encode(line: string, head: Map<string, string>, body: Buffer | undefined, random: Random): Buffer {
  let content = Buffer.from(body ?? "");
  if (body && random.next() < 0.05) {
    const coding = random.pick(Object.keys(ENCODERS));
    content = Buffer.from(ENCODERS[coding]?.(content) ?? content);
    head.set("Content-Encoding", coding);
  }
  const isChunked = body !== undefined && random.next() < 0.15;
  if (isChunked) head.set("Transfer-Encoding", "chunked");
  else if (body) head.set("Content-Length", String(content.length));
  const lines = [...head].map(([name, value]) => `${name}: ${value}`);
  const first = Buffer.from([`${line} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1");
  return Buffer.concat([first, ...(isChunked ? chunksOf(content, random) : [content])]);
}

function chunksOf(content: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const piece = content.subarray(at, at + 1 + random.below(random.next() < 0.2 ? 3 : 4000));
    // A body of very many chunks is tested elsewhere.
    const taken = chunks.length > 500 ? content.subarray(at) : piece;
    chunks.push(Buffer.from(`${taken.length.toString(16)}\r\n`), taken, Buffer.from("\r\n"));
    at += taken.length;
  }
  return [...chunks, Buffer.from("0\r\n\r\n")];
}
