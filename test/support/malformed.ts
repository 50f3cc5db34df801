import type { Random } from "./random.ts";
import type { RawSocket } from "./raw-socket.ts";

/** Part of every malformed body and frame, so that tests can look for it where it must not be. */
export const MARKER = "marker-4b1f9c2d";

export interface MalformedBody {
  kind: string;
  bytes: Buffer;
  headers: Record<string, string>;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** JSON values that fit no field. */
const ODD_VALUES = (random: Random): string =>
  random.pick([
    "null",
    "true",
    "7",
    "-0",
    "1e400",
    "123456789012345678901234567890",
    "[]",
    "{}",
    `["${MARKER}"]`,
    `{"${MARKER}":{"a":[null]}}`,
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    `"${"x".repeat(random.below(5000))}"`,
    nested(1 + random.below(50), random),
  ]);

function nested(depth: number, random: Random): string {
  return random.next() < 0.5
    ? "[".repeat(depth) + "]".repeat(depth)
    : `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

type Spoil = (valid: Record<string, Json>, random: Random) => string | Buffer;

const spoilText =
  (spoil: (text: string, random: Random) => string | Buffer): Spoil =>
  (valid, random) =>
    spoil(JSON.stringify(valid), random);

const insert = (bytes: Buffer, at: number, more: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

/** Ways to make a valid object malformed, or at least odd. */
const SPOILS: Record<string, Spoil> = {
  truncated: spoilText((text, random) => text.slice(0, random.below(text.length))),
  "wrong type": (valid, random) => {
    const field = random.pick(Object.keys(valid));
    const rest = Object.entries(valid).filter(([name]) => name !== field);
    const entries = rest.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    return `{${[...entries, `${JSON.stringify(field)}:${ODD_VALUES(random)}`].join(",")}}`;
  },
  "duplicate keys": (valid, random) => {
    const text = JSON.stringify(valid);
    return `{"${random.pick(Object.keys(valid))}":${ODD_VALUES(random)},${text.slice(1)}`;
  },
  "strange keys": spoilText(
    (text, random) =>
      `{"${random.pick(["__proto__", "constructor", "toString", "", "\\u0000", MARKER])}":${ODD_VALUES(random)},${text.slice(1)}`,
  ),
  "deep nesting": (_, random) => nested(1000 + random.below(200_000), random),
  "deep field": (valid, random) => {
    const field = random.pick(Object.keys(valid));
    return `{"${field}":${nested(1000 + random.below(50_000), random)}}`;
  },
  "not an object": (_, random) => ODD_VALUES(random),
  empty: (_, random) => random.pick(["", " ", "\n", "\u0000", "\ufeff", "\u2028"]),
  "byte order mark": spoilText((text) => `\ufeff${text}`),
  "other encoding": spoilText((text, random) => Buffer.from(text, random.pick(["utf16le", "base64"]))),
  "invalid UTF-8": spoilText((text, random) => {
    const bad = random.pick([
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xe2, 0x82],
    ]);
    return insert(Buffer.from(text), random.below(text.length), Buffer.from(bad));
  }),
  "lone surrogate": spoilText((text, random) =>
    text.replaceAll(MARKER, `${MARKER}${random.pick(["\\ud83d", "\\ude00", "\\udfff\\ud800"])}`),
  ),
  "flipped bytes": spoilText((text, random) => {
    const bytes = Buffer.from(text);
    for (let count = 1 + random.below(4); count > 0; count--)
      bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  }),
  "inserted bytes": spoilText((text, random) =>
    insert(Buffer.from(text), random.below(text.length), random.bytes(1 + random.below(8))),
  ),
  "random bytes": (_, random) => random.bytes(1 + random.below(200)),
  trailing: spoilText((text, random) => text + random.pick(["}", "{}", text, "garbage", "\u0000", "//"])),
  "not JSON": spoilText((text, random) =>
    random.pick([
      text.replaceAll('"', "'"),
      text.replace("{", "{,"),
      text.replace("}", ",}"),
      `admin_key=${MARKER}&content=${MARKER}`,
      `<content>${MARKER}</content>`,
      `// ${MARKER}\n${text}`,
      "NaN",
      "undefined",
    ]),
  ),
};

const SPOIL_NAMES = Object.keys(SPOILS);

export function spoil(valid: Record<string, Json>, random: Random): { kind: string; bytes: Buffer } {
  const kind = random.pick(SPOIL_NAMES);
  return { kind, bytes: Buffer.from((SPOILS[kind]?.(valid, random) ?? "") as Uint8Array) };
}

/** Returns a malformed body, with headers that may not fit it. */
export function malformedBody(valid: Record<string, Json>, random: Random): MalformedBody {
  const headers: Record<string, string> = {};
  if (random.next() < 0.1)
    headers["content-encoding"] = random.pick(["gzip", "br", "deflate", "zstd", "x-none"]);
  if (random.next() < 0.3) {
    headers["content-type"] = random.pick([
      "application/json; charset=utf-16",
      "multipart/form-data; boundary=x",
      "multipart/form-data",
      "application/x-www-form-urlencoded",
      "nonsense",
      "image/png",
    ]);
  }
  return { ...spoil(valid, random), headers };
}

/** Returns a whole request with odd framing. `key` is one of the server. */
export function malformedRequest(path: string, key: string, random: Random): { kind: string; bytes: Buffer } {
  const body = `{"content":"${MARKER}"}`;
  const [kind, rest] = random.pick<[string, string]>([
    ["chunk size that is not a number", `Transfer-Encoding: chunked\r\n\r\nxyz\r\n${body}\r\n0\r\n\r\n`],
    ["negative chunk size", `Transfer-Encoding: chunked\r\n\r\n-5\r\n${body}\r\n0\r\n\r\n`],
    ["huge chunk size", `Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n${body}\r\n0\r\n\r\n`],
    ["no last chunk", `Transfer-Encoding: chunked\r\n\r\n5\r\n{"con\r\n`],
    ["chunk without its end", `Transfer-Encoding: chunked\r\n\r\n5\r\n{"contentabc\r\n0\r\n\r\n`],
    [
      "chunk extension and trailer",
      `Transfer-Encoding: chunked\r\n\r\n2;a=${MARKER}\r\n{}\r\n0\r\nX-A: ${MARKER}\r\n\r\n`,
    ],
    ["two framings", `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ["two lengths", `Content-Length: 2\r\nContent-Length: 9\r\n\r\n${body}`],
    ["negative length", `Content-Length: -1\r\n\r\n${body}`],
    ["length that is not a number", `Content-Length: ${MARKER}\r\n\r\n${body}`],
    ["huge length", `Content-Length: 18446744073709551616\r\n\r\n${body}`],
    ["length beyond the body", `Content-Length: ${body.length + 50}\r\n\r\n${body}`],
    ["length short of the body", `Content-Length: ${body.length - 5}\r\n\r\n${body}`],
    ["unknown transfer encoding", `Transfer-Encoding: ${MARKER}\r\n\r\n${body}`],
    ["no length", `\r\n${body}`],
    ["bare line feeds", `Content-Length: 2\n\n{}`],
    ["header without a colon", `${MARKER}\r\nContent-Length: 2\r\n\r\n{}`],
    ["header with a NUL", `X-A: \u0000${MARKER}\r\nContent-Length: 2\r\n\r\n{}`],
    ["expectation unknown", `Expect: ${MARKER}\r\nContent-Length: 2\r\n\r\n{}`],
  ]);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${key}\r\n`;
  return { kind, bytes: Buffer.from(head + rest, "latin1") };
}

/** Sends a malformed frame, and returns its kind. `id` is the id of a valid frame at this moment. */
export function sendMalformedFrame(socket: RawSocket, id: string, random: Random): string {
  const [kind, send] = random.pick(FRAMES);
  send(socket, id, random);
  return kind;
}

/** A frame that is not a valid answer, even if a few of its bytes change. */
const valid = (id: string) => ({ id, message: MARKER, data: '{"id":7,"content":8,"error":9}' });

const FRAMES: [string, (socket: RawSocket, id: string, random: Random) => void][] = [
  ...Array.from({ length: 12 }, (): (typeof FRAMES)[number] => [
    "spoilt object",
    (socket, id, random) => {
      const { bytes } = spoil(valid(id), random);
      socket.send(bytes, { opcode: random.pick([1, 2]) });
    },
  ]),
  ...['"x"', "[]", 5, {}, "null", '{"content":1}', MARKER, null].map((data): (typeof FRAMES)[number] => [
    "invalid answer",
    (socket, id) => socket.send(JSON.stringify({ ...valid(id), data })),
  ]),
  ["unknown id", (socket) => socket.send(JSON.stringify(valid(crypto.randomUUID())))],
  ["unmasked", (socket, id) => socket.send(JSON.stringify(valid(id)), { masked: false })],
  ["reserved bits", (socket, _, random) => socket.send(MARKER, { reserved: 1 + random.below(7) })],
  ["unknown opcode", (socket, _, random) => socket.send(MARKER, { opcode: random.pick([3, 4, 7, 11, 15]) })],
  ["continuation of nothing", (socket) => socket.send(MARKER, { opcode: 0 })],
  [
    "text within a fragmented text",
    (socket) => {
      socket.send(MARKER, { fin: false });
      socket.send(MARKER);
    },
  ],
  ["ping that is too long", (socket) => socket.send("x".repeat(126), { opcode: 9 })],
  ["fragmented ping", (socket) => socket.send("x", { opcode: 9, fin: false })],
  ["pong without a ping", (socket) => socket.send(MARKER, { opcode: 10 })],
  ["close of one byte", (socket) => socket.send("x", { opcode: 8 })],
  [
    "close with a bad code",
    (socket, _, random) => socket.close(random.pick([0, 999, 1005, 1006, 2999, 65535])),
  ],
  [
    "close with a reason that is not UTF-8",
    (socket) => socket.send(Buffer.from([3, 232, 0xff]), { opcode: 8 }),
  ],
  [
    "fragments of a broken character",
    (socket) => {
      socket.send(Buffer.from([0xe2, 0x82]), { fin: false });
      socket.send(Buffer.from("x"), { opcode: 0 });
    },
  ],
  [
    "length of 2^63",
    (socket) =>
      socket.sendBytes(Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])),
  ],
  [
    "half a frame, then nothing",
    (socket) => {
      socket.sendBytes(Buffer.from([0x81, 0xfe, 0x10]));
      socket.destroy();
    },
  ],
  ["bytes that are not a frame", (socket, _, random) => socket.sendBytes(random.bytes(1 + random.below(64)))],
];
