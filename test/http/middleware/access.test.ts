import { describe, expect, onTestFinished, test } from "bun:test";
import { connectSource, takeBody, takeHead } from "../../support/byte-source.ts";
import { sendRawRequest } from "../../support/http.ts";
import { openRawSocket, shakeHands } from "../../support/raw-socket.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

interface Raw {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Returns the bytes of a request, which holds only what is given, and `Host`. */
function bytesOf({ method = "GET", path = "/health", headers = {}, body }: Raw): string {
  const all = {
    Host: "localhost",
    ...(body !== undefined && { "Content-Length": `${body.length}` }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, "", body ?? ""].join("\r\n");
}

async function send(url: string, raw: Raw) {
  const response = await sendRawRequest(url, bytesOf(raw));
  return { status: response?.status, headers: response?.headers, body: response?.body ?? "" };
}

const ask = (key: string, more: Partial<Raw> = {}): Raw => ({
  method: "POST",
  path: "/v1/chat/completions",
  body: "{}",
  ...more,
  headers: { Authorization: `Bearer ${key}`, ...more.headers },
});

describe("bounds of a request", () => {
  test("a URL of more than 4096 characters is a 414 in the error style of its route", async () => {
    const { url } = await startTestServer();
    const long = "a".repeat(4096);
    expect((await send(url, { path: `/health?${"a".repeat(3000)}` })).status).toBe(200);
    const reference = await send(url, { path: `/api/connections?${long}` });
    expect([reference.status, JSON.parse(reference.body).error]).toEqual([414, "Request URL too long"]);
    const openai = await send(url, { path: `/v1/models?${long}` });
    expect([openai.status, JSON.parse(openai.body).error.type]).toEqual([414, "invalid_request_error"]);
    expect(reference.headers?.get("x-request-id")).toStartWith("req_");
  });

  test("the runtime refuses more than 16 KB of headers, and more than 200 of them, with 431", async () => {
    const { url } = await startTestServer();
    expect((await send(url, { headers: { "X-Long": "a".repeat(16_000) } })).status).toBe(200);
    expect((await send(url, { headers: { "X-Long": "a".repeat(17_000) } })).status).toBe(431);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`x${at}`, "a"]));
    expect((await send(url, { headers: many(150) })).status).toBe(200);
    expect((await send(url, { headers: many(250) })).status).toBe(431);
  });

  test.each<[string, Raw]>([
    ["/api/ask", { method: "POST", path: "/api/ask", headers: { Authorization: ADMIN_KEY } }],
    ["/v1", ask(ADMIN_KEY)],
    ["/admin, where no key is needed to send one", { method: "POST", path: "/admin/users/add" }],
  ])("a body that arrives too slowly is a 408: %s", async (_, raw) => {
    const { url } = await startTestServer(["--body-within", "300ms"]);
    const check = async (framing: Record<string, string>) => {
      const { body: __, ...head } = raw;
      const source = connectSource(url);
      source.write(bytesOf({ ...head, headers: { ...raw.headers, ...framing } }));
      const trickle = setInterval(() => source.write("Content-Length" in framing ? " " : "1\r\n \r\n"), 50);
      const answer = await takeHead(source);
      clearInterval(trickle);
      expect([answer?.status, answer?.headers.get("connection")]).toEqual([408, "close"]);
      if (answer) expect(await takeBody(source, answer)).toContain("within 0.3 s");
      await source.ended;
    };
    await Promise.all([check({ "Content-Length": "1000" }), check({ "Transfer-Encoding": "chunked" })]);
  });

  test("a body of a megabyte of brackets is a 400, and the server goes on serving", async () => {
    const { url } = await startTestServer();
    const body = "[".repeat(1024 * 1024);
    const bombs = [
      ask(ADMIN_KEY, { body }),
      { method: "POST", path: "/api/ask", headers: { Authorization: ADMIN_KEY }, body },
      { method: "POST", path: "/admin/users/add", body },
      ask(ADMIN_KEY, { body: `{"model":"m","messages":${"[".repeat(500_000)}${"]".repeat(500_000)}}` }),
      ask(ADMIN_KEY, { body: `{"model":"m","input":[${'"",'.repeat(600_000)}0]}` }),
    ];
    const answers = await Promise.all(bombs.map((bomb) => send(url, bomb)));
    expect(answers.map(({ status }) => status)).toEqual(bombs.map(() => 400));
    expect((await send(url, {})).body).toBe("OK");
  });

  test("a body with a key in it is bounded before that key is checked", async () => {
    const { url } = await startTestServer();
    const body = JSON.stringify({ admin_key: ADMIN_KEY, name: "x".repeat(3 * 1024 * 1024) });
    expect((await send(url, { method: "POST", path: "/admin/users/add", body })).status).toBe(413);
  });

  test("requests over the share of an address are a 429 until one of its requests is answered", async () => {
    const { url } = await startTestServer(["--address-requests-max", "2", "--queue-wait", "5s"]);
    const agent = await openRawSocket(`${url}/client/register`);
    const hello = JSON.parse((await agent.receive())?.text ?? "{}");
    agent.send(JSON.stringify({ ...hello, message: "" }));
    const waiting = [1, 2].map(() => {
      const source = connectSource(url);
      onTestFinished(() => {
        source.socket.destroy();
      });
      const headers = { Authorization: ADMIN_KEY };
      source.write(bytesOf({ method: "POST", path: "/api/ask", headers, body: '{"content":"hi"}' }));
      return source;
    });
    const list = { path: "/v1/models", headers: { Authorization: ADMIN_KEY } };
    let refused = await send(url, list);
    while (refused.status === 200) refused = await send(url, list);
    expect([refused.status, refused.headers?.get("retry-after")]).toEqual([429, "1"]);
    expect((await send(url, {})).status).toBe(200);
    for (const source of waiting) source.socket.destroy();
    let answer = await send(url, list);
    while (answer.status === 429) answer = await send(url, list);
    expect(answer.status).toBe(200);
    agent.destroy();
  });
});

describe("the Host header", () => {
  test.each(["a/health?", "a b", "a,b", "localhost/admin", "user@localhost", ""])(
    "the Host header %p is a 400, as it could become a part of the path",
    async (host) => {
      const { url } = await startTestServer();
      const { status, body } = await send(url, { path: "/api/connections", headers: { Host: host } });
      expect([status, JSON.parse(body).error]).toEqual([400, "Invalid Host header"]);
    },
  );

  test("a request with two Host headers is a 400", async () => {
    const { url } = await startTestServer();
    const response = await sendRawRequest(url, "GET /docs HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n");
    expect(response?.status).toBe(400);
  });

  test("a route without a key refuses the Host of a page that made its name point to this machine", async () => {
    const { url } = await startTestServer(["--allowed-hosts", "box.example", "--agents", "local"]);
    const foreign = { Host: "evil.example:8080" };
    for (const path of ["/docs", "/dashboard", "/nothing"])
      expect((await send(url, { path, headers: foreign })).status).toBe(403);
    const headers = { ...foreign, Origin: "null" };
    const socket = await shakeHands(`${url}/client/register`, { headers, key: null });
    expect([socket.status, JSON.parse(socket.body).error]).toEqual([403, "Host not allowed"]);
    // Routes with a key refuse such a page anyway, as it does not know a key.
    expect((await send(url, { path: "/v1/models", headers: foreign })).status).toBe(401);
    for (const host of ["localhost:1", "127.0.0.1", "[::1]", "Box.Example:80"])
      expect((await send(url, { path: "/docs", headers: { Host: host } })).status).toBe(200);
  });

  test("the host of the public URL is allowed, but makes no agent one of this machine", async () => {
    const { url } = await startTestServer(["--public-url", "https://chat.example.com", "--agents", "local"]);
    const get = (host: string) => send(url, { path: "/dashboard", headers: { Host: host } });
    expect((await get("chat.example.com")).status).toBe(200);
    expect((await get("Chat.Example.com:8080")).status).toBe(200);
    expect((await get("sub.chat.example.com")).status).toBe(403);
    // A proxy on this machine may pass on a stranger's request without saying so.
    const headers = { Host: "chat.example.com" };
    const socket = await shakeHands(`${url}/client/register`, { headers, key: null });
    expect([socket.status, JSON.parse(socket.body).error]).toEqual([403, "Host not allowed"]);
  });

  test.each(["evil.example", "a b", "a/health?", ""])(
    "/health and /ready answer whatever the Host header is: %p",
    async (host) => {
      const { url } = await startTestServer();
      const headers = { Host: host };
      for (const path of ["/health", "/health?a=1"])
        expect(await send(url, { path, headers })).toMatchObject({ status: 200, body: "OK" });
      const ready = await send(url, { path: "/ready?agents=0", headers });
      expect([ready.status, ready.headers?.get("x-request-id")]).toEqual([
        200,
        expect.stringMatching(/^req_/),
      ]);
    },
  );

  test("/health answers without a Host header, as HTTP/1.0 allows", async () => {
    const { url } = await startTestServer();
    const { hostname, port } = new URL(url);
    const source = connectSource(`http://${hostname}:${port}`);
    source.write("GET /health HTTP/1.0\r\n\r\n");
    expect((await takeHead(source))?.status).toBe(200);
    source.socket.destroy();
  });

  test("a request with a key may have any Host", async () => {
    const { url, agentKey } = await startTestServer();
    const headers = { Host: "chat.example.com", Authorization: ADMIN_KEY };
    expect((await send(url, { path: "/v1/models", headers })).status).toBe(200);
    const path = `${url}/agents/${agentKey}/client/register`;
    (await openRawSocket(path, { headers: { Host: "chat.example.com" } })).destroy();
  });

  test("a request from a trusted proxy may have any Host", async () => {
    const { url } = await startTestServer(["--trust-proxy", "loopback"]);
    const headers = { Host: "chat.example.com", "X-Forwarded-For": "203.0.113.7" };
    expect((await send(url, { path: "/docs", headers })).status).toBe(200);
  });
});

describe("wrong keys", () => {
  const LIMIT = ["--key-failures-max", "3"];

  test("wrong keys beyond an address's share are a 429 with Retry-After in every error style, and a valid key works at once", async () => {
    const server = await startTestServer(LIMIT);
    const { url } = server;
    const tries: Raw[] = [
      ask("wrong"),
      { method: "POST", path: "/api/ask", headers: { Authorization: "wrong" }, body: '{"content":"x"}' },
      { method: "POST", path: "/admin/users/add", body: '{"admin_key":"wrong"}' },
    ];
    for (const raw of tries) expect((await send(url, raw)).status).toBe(401);
    for (const raw of tries) {
      const { status, headers, body } = await send(url, raw);
      expect(status).toBe(429);
      expect(Number(headers?.get("retry-after"))).toBeGreaterThan(50);
      expect(body).toContain("Too many wrong keys");
    }
    const agent = await shakeHands(`${url}/agents/wrong/client/register`);
    expect(agent.status).toBe(429);
    expect((await send(url, { path: "/v1/models", headers: { Authorization: ADMIN_KEY } })).status).toBe(200);
    (await openRawSocket(`${url}/agents/${server.agentKey}/client/register`)).destroy();
    expect(server.logged().match(/"keys_refused"/g)).toHaveLength(1);
  });

  test("two different admin keys in a query are a 400, the same one twice is accepted", async () => {
    const { url } = await startTestServer();
    const list = (keys: readonly string[]) =>
      send(url, { path: `/admin/users?${keys.map((key) => `admin_key=${key}`).join("&")}` });
    expect((await list([ADMIN_KEY, ADMIN_KEY])).status).toBe(200);
    for (const keys of [
      [ADMIN_KEY, "wrong"],
      ["wrong", ADMIN_KEY],
    ])
      expect((await list(keys)).status).toBe(400);
  });

  test("wrong keys of agents count as well", async () => {
    const { url } = await startTestServer(LIMIT);
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++)
      statuses.push((await shakeHands(`${url}/agents/wrong${count}/client/register`)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });

  test("wrong keys of one address do not count for another behind the same trusted proxy", async () => {
    const { url } = await startTestServer([...LIMIT, "--trust-proxy", "1"]);
    const from = (address: string) => send(url, ask("wrong", { headers: { "X-Forwarded-For": address } }));
    for (let count = 0; count < 3; count++) expect((await from("203.0.113.7")).status).toBe(401);
    expect((await from("1.1.1.1, 203.0.113.7")).status).toBe(429);
    expect((await from("203.0.113.8")).status).toBe(401);
  });
});

describe("sockets of agents", () => {
  test("agents over --agents-max are refused with 503, and one that closes makes room", async () => {
    const { url } = await startTestServer(["--agents-max", "2"]);
    const sockets = [
      await openRawSocket(`${url}/client/register`),
      await openRawSocket(`${url}/client/register`),
    ];
    const refused = await shakeHands(`${url}/client/register`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    sockets[0]?.destroy();
    let again = await shakeHands(`${url}/client/register`);
    while (again.status === 503) again = await shakeHands(`${url}/client/register`);
    expect(again.status).toBe(101);
    again.socket?.destroy();
    sockets[1]?.destroy();
  });

  test("agents without a hello are limited for each address, and a hello makes room", async () => {
    const { url } = await startTestServer();
    const address = `${url}/client/register`;
    const silent = await Promise.all(Array.from({ length: 1000 }, () => openRawSocket(address)));
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
    });
    expect((await shakeHands(address)).status).toBe(429);
    silent.push(await openRawSocket(address, { localAddress: "127.0.0.2" }));
    const [first] = silent;
    first?.send((await first.receive())?.text ?? "");
    let admitted = await shakeHands(address);
    while (admitted.status === 429) admitted = await shakeHands(address);
    expect(admitted.status).toBe(101);
    admitted.socket?.destroy();
  });
});
