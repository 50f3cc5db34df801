import { expect, test } from "bun:test";
import zlib from "node:zlib";
import { startModelScene } from "../../../support/model-scene.ts";
import { ADMIN_KEY } from "../../../support/server.ts";

const BODY = '{"model":"m","messages":[{"role":"user","content":"h\u00e9"}]}';
const CHAT = "chat/completions";

const inEncoding = (encoding: string, body: string | Buffer<ArrayBuffer>) => ({
  body,
  headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-encoding": encoding },
});

const ENCODERS: [string, (text: Buffer) => Buffer<ArrayBuffer>][] = [
  ["gzip", (bytes) => zlib.gzipSync(bytes)],
  ["deflate", (bytes) => zlib.deflateSync(bytes)],
  ["br", (bytes) => zlib.brotliCompressSync(bytes)],
  ["zstd", (bytes) => zlib.zstdCompressSync(bytes)],
];

test.each([
  ...ENCODERS,
  ["deflate", (bytes: Buffer) => zlib.deflateRawSync(bytes)] as (typeof ENCODERS)[number],
  ["X-GZip", (bytes: Buffer) => zlib.gzipSync(bytes)] as (typeof ENCODERS)[number],
  ["identity", (bytes: Buffer) => Buffer.from(bytes)] as (typeof ENCODERS)[number],
])("a body in %s reaches the agent decompressed", async (encoding, encode) => {
  const { post, agent } = await startModelScene({
    onAsk: ({ ask }, self) => self.say({ type: "done", ask, status: 200, body: "{}" }),
  });
  const response = await post(CHAT, "", inEncoding(encoding, encode(Buffer.from(BODY))));
  expect(response.status).toBe(200);
  expect((await agent.next("ask")).body).toBe(BODY);
});

test.each(ENCODERS)("a small body in %s that decompresses to 64 MB is a 413", async (encoding, encode) => {
  const { post } = await startModelScene({}, ["--body-max", "1MB"]);
  const bomb = encode(Buffer.alloc(64 * 1024 * 1024, 0x20));
  expect(bomb.byteLength).toBeLessThan(100_000);
  expect((await post(CHAT, "", inEncoding(encoding, bomb))).status).toBe(413);
});

const encodeAll = (encodings: readonly string[], text: string) =>
  encodings.reduce((bytes, name) => {
    const [, encode] = ENCODERS.find(([known]) => known === name) ?? [];
    return encode?.(bytes) ?? bytes;
  }, Buffer.from(text));

test.each([
  ["gzip, br", ["gzip", "br"]],
  ["ZSTD,Deflate , GZIP", ["zstd", "deflate", "gzip"]],
  ["identity, br, , identity", ["br"]],
  ["Identity", []],
] as const)("a body in the encodings %p is decoded in their order, last first", async (header, encodings) => {
  const { post, agent } = await startModelScene({
    onAsk: ({ ask }, self) => self.say({ type: "done", ask, status: 200, body: "{}" }),
  });
  const response = await post(CHAT, "", inEncoding(header, encodeAll(encodings, BODY)));
  expect(response.status).toBe(200);
  expect((await agent.next("ask")).body).toBe(BODY);
});

test("each of several encodings is bounded, also if the last one makes the body small again", async () => {
  const { post } = await startModelScene({}, ["--body-max", "1MB"]);
  const blanks = Buffer.alloc(64 * 1024 * 1024, 0x20);
  const twice = zlib.gzipSync(zlib.gzipSync(blanks));
  expect(twice.byteLength).toBeLessThan(2000);
  expect((await post(CHAT, "", inEncoding("gzip, gzip", twice))).status).toBe(413);
  // Its first half is a body of 64 MB.
  const wide = zlib.gzipSync(blanks);
  expect((await post(CHAT, "", inEncoding("br, gzip", wide))).status).toBe(413);
});

test("bombs at once do not take more memory than the room for bodies has", async () => {
  const { post, server } = await startModelScene({}, ["--body-max", "32MB", "--bodies-max", "40MB"]);
  const bomb = zlib.brotliCompressSync(Buffer.alloc(31 * 1024 * 1024, 0x20), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
  });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => post(CHAT, "", inEncoding("br", Buffer.from(bomb)))),
  );
  const statuses = answers.map(({ status }) => status);
  // One may get through the decoder, and is not JSON.
  expect(
    statuses.filter((status) => status !== 400).every((status) => status === 429 || status === 503),
  ).toBe(true);
  expect(statuses.filter((status) => status !== 400).length).toBeGreaterThan(8);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

test.each([
  ["/v1/messages", { model: "m", max_tokens: 5, messages: [] }, "invalid_request_error"],
  ["/api/ask", { content: "hi" }, undefined],
  ["/admin/users/add", { name: "Ann" }, undefined],
  ["/admin/users/delete", { id: "nobody" }, undefined],
])(
  "%s decodes its body, and refuses another encoding in the style of its errors",
  async (path, body, type) => {
    const { server } = await startModelScene({
      onAsk: ({ ask }, self) => self.say({ type: "done", ask, status: 200, body: "{}" }),
    });
    const send = (encoding: string, bytes: Buffer<ArrayBuffer>) =>
      fetch(`${server.url}${path}`, { method: "POST", ...inEncoding(encoding, bytes) });
    const plain = Buffer.from(JSON.stringify(body));
    expect((await send("identity", plain)).status).toBe((await send("GZIP", zlib.gzipSync(plain))).status);
    const refused = await send("compress", plain);
    expect([refused.status, refused.headers.get("accept-encoding")]).toEqual([
      415,
      "gzip, deflate, br, zstd",
    ]);
    const { error } = (await refused.json()) as { error: { type?: string } };
    expect(error.type).toBe(type);
    const corrupt = await send("zstd", zlib.zstdCompressSync(plain).subarray(0, -3));
    expect([corrupt.status, await corrupt.text()]).toEqual([
      400,
      expect.stringContaining("Content-Encoding"),
    ]);
  },
);

test("the key of an administrator may be in a compressed body, and a bomb without a key is a 413", async () => {
  const { server } = await startModelScene();
  const send = (body: Buffer<ArrayBuffer>) =>
    fetch(`${server.url}/admin/users/add`, {
      method: "POST",
      headers: { "content-encoding": "br" },
      body,
    });
  expect((await send(zlib.brotliCompressSync(JSON.stringify({ admin_key: ADMIN_KEY })))).status).toBe(200);
  expect((await send(zlib.brotliCompressSync(JSON.stringify({ admin_key: "wrong" })))).status).toBe(401);
  expect((await send(zlib.brotliCompressSync(Buffer.alloc(4 * 1024 * 1024, 0x20)))).status).toBe(413);
});

test.each(["compress", "gzip, snappy", "gzip, gzip, gzip, gzip", "snappy"])(
  "a body in the encoding %s is a 415",
  async (encoding) => {
    const { post, server } = await startModelScene();
    const response = await post(CHAT, "", inEncoding(encoding, BODY));
    expect(response.status).toBe(415);
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, br, zstd");
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    const ask = await fetch(`${server.url}/api/ask`, { method: "POST", ...inEncoding(encoding, BODY) });
    expect(ask.status).toBe(415);
  },
);

test.each(ENCODERS)("a body that is not in %s, as it says, is a 400", async (encoding, encode) => {
  const { post, server } = await startModelScene();
  const bytes = encode(Buffer.from(BODY));
  // A decoder may have the whole text before the end.
  const cut = encode(Buffer.from(`${BODY}${" ".repeat(200)}`)).subarray(0, -1);
  const longer = Buffer.concat([bytes, Buffer.from("garbage")]);
  for (const body of ["{}", "", bytes.subarray(0, -12), cut, longer]) {
    const response = await post(CHAT, "", inEncoding(encoding, body));
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining("not compressed as its Content-Encoding says"),
    ]);
    const ask = await fetch(`${server.url}/api/ask`, { method: "POST", ...inEncoding(encoding, body) });
    expect(ask.status).toBe(400);
  }
});
