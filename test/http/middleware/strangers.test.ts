import { expect, onTestFinished, test } from "bun:test";
import { type ByteSource, connectSource, takeBody, takeHead } from "../../support/byte-source.ts";
import { sendRawRequest } from "../../support/http.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

const ROUTES = ["/api/session", "/admin/users/add", "/admin/users/delete"];

/** Sends the first byte of a body in which a key may follow, and no more. */
function sendSlowly(url: string, at: number): ByteSource {
  const source = connectSource(url);
  onTestFinished(() => {
    source.socket.destroy();
  });
  const path = ROUTES[at % ROUTES.length];
  const body = at % 2 ? "Content-Length: 100\r\n\r\n{" : "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
  source.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${body}`);
  return source;
}

test("right keys, /health and /ready are served while 1,005 slow bodies without a key come from the same address", async () => {
  const { url } = await startTestServer(["--address-requests-max", "2"]);
  const slow = Array.from({ length: 1005 }, (_, at) => sendSlowly(url, at));
  // The share of strangers is full, and the one that has waited longest has made room.
  const first = await takeHead(slow[0] as ByteSource);
  expect([first?.status, first?.headers.get("connection")]).toEqual([429, "close"]);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { headers }).then(({ status }) => status);
  expect(await get("/health")).toBe(200);
  expect(await get("/ready?agents=0")).toBe(200);
  expect(await get("/v1/models", { authorization: `Bearer ${ADMIN_KEY}` })).toBe(200);
  expect(await get(`/admin/users?admin_key=${ADMIN_KEY}`)).toBe(200);
  const added = await fetch(`${url}/admin/users/add`, {
    method: "POST",
    body: JSON.stringify({ admin_key: ADMIN_KEY }),
  });
  expect(added.status).toBe(200);
});

test("a body without a right key in the head has 5 s, whatever --body-within is", async () => {
  const { url } = await startTestServer(["--body-within", "10m"]);
  const answers = ROUTES.map(async (_, at) => {
    const source = sendSlowly(url, at);
    const head = await takeHead(source);
    const body = head && (await takeBody(source, head));
    await source.ended;
    return [head?.status, body?.includes("within 5 s")];
  });
  expect(await Promise.all(answers)).toEqual(ROUTES.map(() => [408, true]));
});

test("a large body with a right key may take longer than --body-within while its bytes arrive", async () => {
  const { url } = await startTestServer(["--body-within", "100ms"]);
  const source = connectSource(url);
  const body = JSON.stringify({ model: "m", messages: [], text: "x".repeat(2 * 1024 * 1024) });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${ADMIN_KEY}`;
  source.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 1024 * 1024)}`);
  await Bun.sleep(300);
  source.write(body.slice(1024 * 1024));
  // There is no agent, which shows that the body was read.
  expect((await takeHead(source))?.status).toBe(503);
  source.socket.destroy();
});

test("requests without a key are not counted with those that have a right one", async () => {
  const { url } = await startTestServer(["--address-requests-max", "1"]);
  const slow = sendSlowly(url, 1);
  const request = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${ADMIN_KEY}\r\n\r\n`;
  expect((await sendRawRequest(url, request))?.status).toBe(200);
  slow.socket.destroy();
});
