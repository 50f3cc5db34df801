import { expect, test } from "bun:test";
import { sendRawRequest } from "../support/http.ts";
import { useScene } from "../support/scene.ts";

const scene = useScene();

const GET_ROUTES = ["/health", "/api/connections", "/admin/users"];
const POST_ROUTES = ["/api/ask", "/admin/users/add", "/admin/users/delete"];
const JSON_TYPE = "application/json; charset=utf-8";

const authorized = () => ({ headers: { authorization: scene.adminKey } });
const contentType = (headers: Headers) => headers.get("content-type")?.toLowerCase();

test("GET /health responds OK without a key", async () => {
  const { status, text, headers } = await scene.request("/health");
  expect([status, text, contentType(headers)]).toEqual([200, "OK", "text/plain; charset=utf-8"]);
});

test.each([
  ["/", '{"error":"404 page not found"}'],
  ["/api", '{"error":"404 page not found"}'],
  ["/nothing/here", '{"error":"404 page not found"}'],
  ["/api/ask/more", '{"error":"404 page not found"}'],
  ["/API/ask", '{"error":"404 page not found","hint":"Did you mean `POST /api/ask`?"}'],
])("the unknown path %s is a 404 in JSON with the reference's error text: %s", async (path, body) => {
  const { status, text, headers } = await scene.request(path);
  expect([status, text, contentType(headers)]).toEqual([404, body, JSON_TYPE]);
});

test("a wrong method is a 405 that lists the right ones", async () => {
  for (const path of POST_ROUTES) {
    const { status, headers, body } = await scene.request(path);
    expect([path, status, headers.get("allow")]).toEqual([path, 405, expect.stringContaining("POST")]);
    expect(body["error"]).toBeString();
  }
  for (const path of GET_ROUTES) {
    const { status, headers } = await scene.request(path, { method: "POST", body: "{}" });
    expect([path, status, headers.get("allow")]).toEqual([path, 405, expect.stringContaining("GET")]);
  }
});

test("HEAD is answered as GET is, without the body", async () => {
  for (const path of GET_ROUTES) {
    const get = await scene.request(path, authorized());
    const head = await scene.request(path, { ...authorized(), method: "HEAD" });
    expect([path, head.status, head.text, contentType(head.headers)]).toEqual([
      path,
      get.status,
      "",
      contentType(get.headers),
    ]);
    expect(get.status).toBe(200);
  }
});

test("every response may be read by any web page", async () => {
  const replies = await Promise.all([
    ...[...GET_ROUTES, ...POST_ROUTES, "/nothing", "/client/register"].map((path) => scene.request(path)),
    ...POST_ROUTES.map((path) => scene.request(path, { method: "POST", body: "{" })),
    scene.request("/api/connections", authorized()),
  ]);
  for (const { headers } of replies) expect(headers.get("access-control-allow-origin")).toBe("*");
});

test("a preflight for a request with a token succeeds", async () => {
  for (const [method, paths] of [
    ["GET", GET_ROUTES],
    ["POST", POST_ROUTES],
  ] as const) {
    for (const path of paths) {
      const { status, headers, text } = await scene.request(path, {
        method: "OPTIONS",
        headers: {
          origin: "https://page.example",
          "access-control-request-method": method,
          "access-control-request-headers": "authorization,content-type",
        },
      });
      const allowed = (name: string) => headers.get(`access-control-allow-${name}`)?.toLowerCase();
      expect([path, status, text, allowed("origin")]).toEqual([path, 204, "", "*"]);
      expect(allowed("methods")).toContain(method.toLowerCase());
      expect(allowed("headers")).toContain("authorization");
      expect(allowed("headers")).toContain("content-type");
    }
  }
});

test("every response has a request id of its own", async () => {
  const replies = await Promise.all([
    ...GET_ROUTES.map((path) => scene.request(path)),
    ...POST_ROUTES.map((path) => scene.request(path, { method: "POST", body: "{" })),
    scene.request("/nothing"),
    scene.request("/health", { method: "HEAD" }),
    scene.request("/health", { method: "OPTIONS" }),
  ]);
  const ids = replies.map(({ headers }) => headers.get("x-request-id"));
  for (const id of ids) expect(id).toMatch(/^\S{8,}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test("JSON responses have the content type of JSON, errors too", async () => {
  const replies = await Promise.all([
    scene.request("/api/connections", authorized()),
    scene.request("/admin/users", authorized()),
    scene.request("/admin/users"),
    scene.ask("{"),
    scene.ask({ content: "hi" }, { key: null }),
    scene.ask({ content: "hi" }),
  ]);
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 401, 400, 401, 503]);
  for (const { headers, text } of replies) {
    expect(contentType(headers)).toBe(JSON_TYPE);
    expect(text).not.toEndWith("\n");
  }
});

test("a request to register that is not an upgrade gets an error that says what it should be", async () => {
  const { status, headers, body } = await scene.request(`/agents/${scene.agentKey}/client/register`);
  expect([status, contentType(headers)]).toEqual([400, JSON_TYPE]);
  expect(body["error"]).toBe("Bad Request");
});

test("a trailing slash never redirects to a host that a header names", async () => {
  for (const path of ["/health/", "/api/ask/"]) {
    const { headers } = await scene.request(path, { headers: { "x-forwarded-prefix": "//evil.example" } });
    expect(headers.get("location") ?? "").not.toContain("evil");
  }
});

test("a body over the limit is a 413 in JSON, announced or not", async () => {
  const announced = await sendRawRequest(
    scene.url,
    `POST /api/ask HTTP/1.1\r\nHost: x\r\nAuthorization: ${scene.adminKey}\r\nContent-Length: 99999999999\r\n\r\n`,
  );
  expect(announced?.status).toBe(413);
  expect(JSON.parse(announced?.body ?? "")).toMatchObject({ error: "Request body too large" });

  const big = JSON.stringify({ content: "x".repeat(33 * 1024 * 1024) });
  const sent = await scene.ask(big);
  expect([sent.status, sent.body["error"]]).toEqual([413, "Request body too large"]);
});

test("chunked bodies and Expect: 100-continue are understood", async () => {
  const head = `POST /api/ask HTTP/1.1\r\nHost: x\r\nAuthorization: ${scene.adminKey}\r\n`;
  const chunked = await sendRawRequest(
    scene.url,
    `${head}Transfer-Encoding: chunked\r\n\r\n7\r\n{"conte\r\n9\r\nnt":"hi"}\r\n0\r\n\r\n`,
  );
  expect(chunked?.body).toStartWith('{"error":"No available clients"');
  const expecting = await sendRawRequest(
    scene.url,
    `${head}Expect: 100-continue\r\nContent-Length: 16\r\n\r\n{"content":"hi"}`,
  );
  expect(expecting?.body).toStartWith('{"error":"No available clients"');
});
