import { expect, test } from "bun:test";
import { type ByteSource, connectSource, takeBody, takeHead } from "../../support/byte-source.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

const CHUNKED = "Transfer-Encoding: chunked";

/** Begins a request, without the end of its head's last line. */
function begin(url: string, target: string, framing: string, key?: string): ByteSource {
  const source = connectSource(url);
  const authorization = key === undefined ? "" : `Authorization: Bearer ${key}\r\n`;
  source.write(`${target} HTTP/1.1\r\nHost: localhost\r\n${authorization}${framing}\r\n\r\n`);
  return source;
}

/** Sends until the server has ended the connection. Returns how many bytes the system took. */
async function sendForEver(source: ByteSource, framing: string): Promise<number> {
  const piece = "x".repeat(64 * 1024);
  const bytes = Buffer.from(framing === CHUNKED ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
  const { socket } = source;
  let sent = 0;
  while (!source.done && socket.writable) {
    await Promise.race([new Promise((resolve) => socket.write(bytes, resolve)), source.ended]);
    sent = socket.bytesWritten - socket.writableLength;
  }
  return sent;
}

const REFUSED: [string, number][] = [
  ["POST /nothing", 404],
  ["POST /v1/chat/completions", 401],
  ["POST /api/session", 413],
  ["POST /admin/users/add", 413],
  ["DELETE /api/session", 401],
  ["GET /health", 200],
];

test.each(REFUSED)(
  "a caller who sends a body to %s without end is answered %d, and soon cut off",
  async (target, status) => {
    const { url } = await startTestServer();
    const check = async (framing: string) => {
      const source = begin(url, target, framing);
      const sending = sendForEver(source, framing);
      const head = await takeHead(source);
      expect([head?.status, head?.headers.get("connection")]).toEqual([status, "close"]);
      // Most of it stays in the buffers of the system.
      expect(await sending).toBeLessThan(64 * 1024 * 1024);
    };
    await Promise.all([check(CHUNKED), check("Content-Length: 100000000000")]);
  },
);

test("a client that sends 2 MB before it reads gets the refusal", async () => {
  const { url } = await startTestServer();
  const check = async (key: string | undefined) => {
    const source = begin(url, "POST /v1/messages", `Content-Length: ${2 * 1024 * 1024}`, key);
    await Promise.race([
      new Promise((resolve) => source.socket.write("x".repeat(2 * 1024 * 1024), resolve)),
      source.ended,
    ]);
    const head = await takeHead(source);
    expect(head?.status).toBe(401);
    expect(head && (await takeBody(source, head))).toContain("authentication_error");
    await source.ended;
  };
  await Promise.all([check(undefined), check("wrong")]);
});

test("a small body that was not read does not end the connection", async () => {
  const { url } = await startTestServer();
  const source = begin(url, "POST /v1/messages", "Content-Length: 60000");
  source.write("x".repeat(60_000));
  const refused = await takeHead(source);
  expect([refused?.status, refused?.headers.get("connection")]).toEqual([401, null]);
  if (refused) await takeBody(source, refused);
  source.write(`GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${ADMIN_KEY}\r\n\r\n`);
  expect((await takeHead(source))?.status).toBe(200);
  source.socket.destroy();
});
