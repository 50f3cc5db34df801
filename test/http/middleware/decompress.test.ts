import { expect, test } from "bun:test";
import zlib from "node:zlib";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";

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

test.each(["compress", "gzip, br", "snappy"])("a body in the encoding %s is a 415", async (encoding) => {
  const { post, server } = await startModelScene();
  const response = await post(CHAT, "", inEncoding(encoding, BODY));
  expect(response.status).toBe(415);
  expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, br, zstd");
  expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  const ask = await fetch(`${server.url}/api/ask`, { method: "POST", ...inEncoding(encoding, BODY) });
  expect(ask.status).toBe(415);
});

test.each(ENCODERS)("a body that is not in %s, as it says, is a 400", async (encoding, encode) => {
  const { post, server } = await startModelScene();
  for (const body of ["{}", encode(Buffer.from(BODY)).subarray(0, -12)]) {
    expect((await post(CHAT, "", inEncoding(encoding, body))).status).toBe(400);
    const ask = await fetch(`${server.url}/api/ask`, { method: "POST", ...inEncoding(encoding, body) });
    expect(ask.status).toBe(400);
  }
});
