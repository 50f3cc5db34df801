import { expect, onTestFinished, test } from "bun:test";
import { readText } from "../../../src/http/middleware/body.ts";
import { connectSource, takeBody, takeHead } from "../../support/byte-source.ts";
import { arrivedExchange } from "../../support/exchange.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

/** Counts the reads of a body. */
function countReads(request: Request): () => number {
  let reads = 0;
  const { body } = request;
  if (!body) throw new Error("no body");
  const getReader = body.getReader.bind(body);
  Object.defineProperty(body, "getReader", {
    value() {
      const reader = getReader();
      const read = reader.read.bind(reader);
      reader.read = () => {
        reads++;
        return read();
      };
      return reader;
    },
  });
  return () => reads;
}

test("200,000 chunks of one byte are read in a few pieces", async () => {
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const reads = countReads(request);
      const text = await readText(arrivedExchange(request), {
        bodyBytesMax: 1_000_000,
        bodyWithinMs: 60_000,
      });
      return Response.json({ length: text.length, reads: reads() });
    },
  });
  onTestFinished(() => server.stop(true));
  const source = connectSource(server.url.href);
  source.write("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  source.write(`${"1\r\nx\r\n".repeat(200_000)}0\r\n\r\n`);
  const head = await takeHead(source);
  const answer = JSON.parse(head ? await takeBody(source, head) : "{}");
  expect(answer.length).toBe(200_000);
  expect(answer.reads).toBeGreaterThan(0);
  expect(answer.reads).toBeLessThan(2_000);
  source.socket.destroy();
});

test.each([
  ["of an announced length", "Content-Length: 1000\r\n\r\n{"],
  ["in chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
])("a caller who hangs up while sending a body %s is logged as gone, without an error", async (_, rest) => {
  const server = await startTestServer();
  for (const path of ["/v1/chat/completions", "/admin/users/add"]) {
    const source = connectSource(server.url);
    source.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n${rest}`);
    await fetch(`${server.url}/health`);
    source.socket.destroy();
    await until(() => server.logged().includes(`"route":"${path}","status":499`));
  }
  expect(server.logged()).toContain('"error":"caller_gone"');
  expect(server.logged()).not.toContain("internal");
  expect(server.logged()).not.toContain("request_failed");
});

test.each([
  ["of an announced length", (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`],
  [
    "in one chunk",
    (body: string) => `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ],
])("a client that sends all of a body %s over the limit before it reads gets the 413", async (_, framed) => {
  const server = await startTestServer(["--body-max", "1MB"]);
  const source = connectSource(server.url);
  const head = `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n`;
  source.socket.pause();
  await new Promise<void>((resolve, reject) => {
    source.socket.on("error", reject);
    source.socket.write(head + framed("x".repeat(30_000_000)), () => resolve());
  });
  source.socket.resume();
  const answer = await takeHead(source);
  expect([answer?.status, answer?.headers.get("connection")]).toEqual([413, "close"]);
  expect(answer && (await takeBody(source, answer))).toContain("request_too_large");
  await source.ended;
});
