import { afterAll, expect, test } from "bun:test";
import {
  ApiError,
  errorText,
  onSessionEnd,
  pathOf,
  request,
  send,
} from "../../../src/dashboard/api/request.ts";

const answers: Record<string, () => Response> = {
  "/fine": () => Response.json({ a: 1 }),
  "/page": () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  "/reference": () => Response.json({ error: "No such user", hint: "Look at the list." }, { status: 404 }),
  "/openai": () => Response.json({ error: { message: "Too long.", type: "x" } }, { status: 400 }),
  "/slow-down": () =>
    Response.json({ error: "Too many wrong keys" }, { status: 429, headers: { "retry-after": "7" } }),
  "/proxy": () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
  "/null": () => Response.json(null, { status: 500 }),
  "/out": () => Response.json({ error: "Invalid API key" }, { status: 401 }),
};

const server = Bun.serve({
  port: 0,
  async fetch(incoming) {
    const { pathname } = new URL(incoming.url);
    if (pathname === "/echo")
      return Response.json({
        method: incoming.method,
        type: incoming.headers.get("content-type"),
        body: await incoming.text(),
      });
    if (pathname === "/never") return await new Promise<Response>(() => undefined);
    return answers[pathname]?.() ?? new Response(null, { status: 418 });
  },
});
afterAll(() => server.stop(true));

const at = (path: string) => new URL(path, server.url).href;

async function failureOf(path: string): Promise<ApiError> {
  const failure = await send("GET", at(path)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  return failure as ApiError;
}

test("request sends its body as JSON and returns the response's JSON", async () => {
  expect(await request<unknown>("GET", at("/fine"))).toEqual({ a: 1 });
  expect(await request<unknown>("PATCH", at("/echo"), { body: { name: null } })).toEqual({
    method: "PATCH",
    type: "application/json",
    body: '{"name":null}',
  });
});

test.each([
  ["/reference", 404, "No such user. Look at the list."],
  ["/openai", 400, "Too long."],
  ["/slow-down", 429, "Too many wrong keys. Try again in 7 s."],
  ["/proxy", 502, "The server responded with status 502."],
  ["/null", 500, "The server responded with status 500."],
])("an error from %s with status %d is shown as %p", async (path, status, text) => {
  const failure = await failureOf(path);
  expect(failure.status).toBe(status);
  expect(errorText(failure)).toBe(text);
});

test("a proxy's page in place of a response is an error that says so", async () => {
  const failure = await request("GET", at("/page")).catch((error: unknown) => error);
  expect(errorText(failure)).toBe(
    "The response is not JSON. Check whether a proxy between the browser and the server replaced it.",
  );
});

test("an unreachable server is an error without a status", async () => {
  const closed = Bun.serve({ port: 0, fetch: () => new Response() });
  const { href } = closed.url;
  await closed.stop(true);
  const failure = await send("GET", href).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    status: 0,
    message: "The server cannot be reached. Check your network connection, and that the server is running.",
  });
});

test("an aborted request is not an error of the server", async () => {
  const abort = new AbortController();
  const asked = send("GET", at("/never"), { signal: abort.signal }).catch((error: unknown) => error);
  abort.abort();
  const failure = await asked;
  expect(failure).not.toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ name: "AbortError" });
});

test("only a 401 response to a request without its own key ends the session", async () => {
  let ended = 0;
  onSessionEnd(() => ended++);
  await failureOf("/reference");
  expect(ended).toBe(0);
  await send("POST", at("/out"), { headers: { authorization: "Bearer wrong" } }).catch(() => undefined);
  expect(ended).toBe(0);
  await failureOf("/out");
  expect(ended).toBe(1);
});

test("paths are encoded, and query fields without a value are left out", () => {
  expect(pathOf(["admin", "users", "a/b ?"])).toBe("/admin/users/a%2Fb%20%3F");
  expect(pathOf(["admin", "audit"], { limit: 50, before: undefined })).toBe("/admin/audit?limit=50");
});
