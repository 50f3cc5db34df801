import { describe, expect, test } from "bun:test";
import { connectSource, takeBody, takeHead } from "../../support/byte-source.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { cookieFor, SAME_ORIGIN } from "../../support/session.ts";

const KEY = { authorization: ADMIN_KEY };

interface User {
  user_id: string;
  token: string;
}

/** A server, with the actions of a browser and an administrator. */
async function scene(flags: string[] = []) {
  const server = await startTestServer(flags);
  const call = async (method: string, path: string, headers: Record<string, string> = {}, body?: object) => {
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(server.url + path, init);
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };
  const addUser = async (fields: object = {}): Promise<User> =>
    (await call("POST", "/admin/users/add", KEY, fields)).body;
  const signIn = async (key: string) => ({ cookie: await cookieFor(server.url, key), ...SAME_ORIGIN });
  return { server, call, addUser, signIn };
}

describe("signing in", () => {
  test("signing in with the admin key begins a session that stands for the key until the sign-out", async () => {
    const { call } = await scene();
    const signedIn = await call("POST", "/api/session", KEY);
    const expiresAt = Date.parse(signedIn.body.expires_at);
    expect(signedIn.body).toEqual({
      ...{ role: "admin", user: null, expires_at: expect.any(String), public_url: null },
      ...{ currency: null, budgets: { day: null, month: null } },
    });
    expect(Math.abs(expiresAt - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000);
    const set = signedIn.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^session-\d+=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    const browser = { cookie: set.split(";")[0] ?? "", ...SAME_ORIGIN };
    expect((await call("GET", "/api/session", browser)).body).toEqual(signedIn.body);
    expect((await call("GET", "/admin/users", browser)).status).toBe(200);
    expect((await call("POST", "/admin/users/add", browser)).status).toBe(200);
    const signedOut = await call("DELETE", "/api/session", browser);
    expect(signedOut.body).toEqual({ message: "Signed out" });
    expect(signedOut.headers.get("set-cookie")).toMatch(/^session-\d+=; Path=\/; Max-Age=0; /);
    const ended = { error: "API key not provided", hint: "The session has ended: sign in again." };
    expect(await call("GET", "/api/session", browser)).toMatchObject({ status: 401, body: ended });
    expect((await call("GET", "/admin/users", browser)).body).toEqual({
      ...{ error: "Invalid admin key", hint: ended.hint },
    });
  });

  test("signing in with a user's token shows that user, and opens no route of the administrator", async () => {
    const { call, addUser, signIn } = await scene(["--session", "5m"]);
    const fields = { name: "Ann", models: ["m"], max_parallel: 2, expires_at: "2030-01-01T00:00:00.000Z" };
    const { token, user_id } = await addUser(fields);
    const browser = await signIn(token);
    const { body } = await call("GET", "/api/session", browser);
    expect(body).toEqual({
      role: "user",
      user: {
        ...{ user_id, requests_per_minute: null, tokens_per_day: null, priority: null, agent_tags: null },
        ...{ budget_day: null, budget_month: null },
        ...fields,
      },
      currency: null,
      budgets: { day: null, month: null },
      expires_at: expect.any(String),
      public_url: null,
    });
    expect(Math.abs(Date.parse(body.expires_at) - Date.now() - 300_000)).toBeLessThan(60_000);
    expect((await call("GET", "/api/usage", browser)).status).toBe(200);
    for (const path of ["/admin/users", "/admin/overview", "/admin/settings", "/admin/backup"])
      expect([path, (await call("GET", path, browser)).status]).toEqual([path, 401]);
    expect((await call("POST", "/admin/users/add", browser, {})).body).toEqual({
      error: "Invalid admin key",
    });
  });

  test("the session route shows whose key it is without a session, and no end", async () => {
    const { call, addUser } = await scene();
    const { token, user_id } = await addUser();
    expect((await call("GET", "/api/session", KEY)).body).toEqual({
      ...{ role: "admin", user: null, expires_at: null, public_url: null },
      ...{ currency: null, budgets: { day: null, month: null } },
    });
    const { body, headers } = await call("GET", "/api/session", { "x-api-key": token });
    expect(body).toMatchObject({ role: "user", user: { user_id }, expires_at: null });
    expect(headers.get("set-cookie")).toBeNull();
    expect((await call("DELETE", "/api/session", KEY)).status).toBe(200);
  });

  test("signing in again ends the browser's earlier session, and a session cannot begin another", async () => {
    const { call, signIn } = await scene();
    const first = await signIn(ADMIN_KEY);
    expect((await call("POST", "/api/session", first)).status).toBe(401);
    expect((await call("GET", "/api/session", first)).status).toBe(200);
    expect((await call("POST", "/api/session", { ...first, ...KEY })).status).toBe(200);
    expect((await call("GET", "/api/session", first)).status).toBe(401);
  });

  test.each([
    ["a wrong key", { authorization: "wrong" }, undefined, "Invalid API key"],
    ["two wrong keys", { authorization: "a", "x-api-key": "b" }, undefined, "Invalid API key"],
    ["nothing", {}, undefined, "API key not provided"],
    ["neither key nor code", {}, {}, "API key not provided"],
    ["an invalid code", {}, { code: "x" }, "Invalid sign-in code"],
    ["a page of another site", { ...KEY, origin: "https://evil.example" }, undefined, "API key not provided"],
  ])("signing in with %s is refused", async (_, headers, body, error) => {
    const { call } = await scene();
    const answer = await call("POST", "/api/session", headers as Record<string, string>, body);
    expect([answer.status, answer.body.error]).toEqual([401, error]);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("signing in with a malformed code names the field at fault", async () => {
    const { call } = await scene();
    for (const body of [{ code: 1 }, { code: "" }, { code: "x".repeat(257) }, { more: 1 }]) {
      const answer = await call("POST", "/api/session", {}, body);
      expect([answer.status, answer.body.error]).toEqual([400, "Invalid request body"]);
    }
    expect((await call("POST", "/api/session", {}, { code: "x".repeat(5000) })).status).toBe(413);
  });
});

describe("the link of the first start", () => {
  test("the link of the first start signs the administrator in once, and is never logged", async () => {
    const { server, call } = await scene();
    const code = server.signInCode ?? "";
    expect(code).toHaveLength(43);
    const signedIn = await call("POST", "/api/session", SAME_ORIGIN, { code });
    expect(signedIn.body).toMatchObject({ role: "admin", user: null });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await call("GET", "/admin/users", { cookie, ...SAME_ORIGIN })).status).toBe(200);
    expect((await call("POST", "/api/session", SAME_ORIGIN, { code })).status).toBe(401);
    expect(server.logged()).not.toContain(code);
    expect(server.logged()).not.toContain(cookie.split("=")[1] ?? "");
  });

  test("the sign-in link is only there at the first start", async () => {
    const { server } = await scene();
    await server.stop();
    expect((await startTestServer([], { data: server.data })).signInCode).toBeUndefined();
  });

  test("wrong sign-in codes are rate-limited like wrong keys", async () => {
    const { call } = await scene(["--key-failures-max", "2"]);
    const guess = async () => (await call("POST", "/api/session", {}, { code: "x" })).status;
    expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429]);
    const wrong = { authorization: "wrong" };
    expect((await call("POST", "/api/session", wrong)).status).toBe(429);
    expect((await call("POST", "/api/session", KEY)).status).toBe(200);
  });
});

describe("a user's session", () => {
  test.each<[string, (call: Call, user: User) => Promise<unknown>]>([
    ["rotated", (call, { user_id }) => call("POST", `/admin/users/${user_id}/rotate`, KEY, {})],
    ["disabled", (call, { user_id }) => call("POST", `/admin/users/${user_id}/disable`, KEY, {})],
    ["deleted", (call, { user_id }) => call("DELETE", `/admin/users/${user_id}`, KEY, {})],
    [
      "expired",
      (call, { user_id }) =>
        call("PATCH", `/admin/users/${user_id}`, KEY, { expires_at: "2020-01-01T00:00:00Z" }),
    ],
  ])("a user's session ends at once when the user or token is %s", async (_, change) => {
    const { call, addUser, signIn } = await scene();
    const user = await addUser();
    const browser = await signIn(user.token);
    expect((await call("GET", "/v1/models", browser)).status).toBe(200);
    await change(call, user);
    for (const path of ["/v1/models", "/api/session", "/api/usage"]) {
      const { status, body } = await call("GET", path, browser);
      expect([status, JSON.stringify(body)]).toEqual([401, expect.stringContaining("session has ended")]);
    }
  });

  test("a user's session lasts as long as a token that was rotated with a grace period", async () => {
    const { call, addUser, signIn } = await scene();
    const { token, user_id } = await addUser();
    const browser = await signIn(token);
    await call("POST", `/admin/users/${user_id}/rotate`, KEY, { grace_seconds: 600 });
    expect((await call("GET", "/api/session", browser)).status).toBe(200);
  });

  test("a user's session does not come back when the user is enabled again", async () => {
    const { call, addUser, signIn } = await scene();
    const { token, user_id } = await addUser();
    const browser = await signIn(token);
    await call("POST", `/admin/users/${user_id}/disable`, KEY, {});
    expect((await call("GET", "/api/session", browser)).status).toBe(401);
    await call("POST", `/admin/users/${user_id}/enable`, KEY, {});
    expect((await call("GET", "/api/session", browser)).status).toBe(401);
    expect((await call("GET", "/api/session", { authorization: token })).status).toBe(200);
  });
});

type Call = Awaited<ReturnType<typeof scene>>["call"];

describe("a session", () => {
  test("a session that a page of another site uses does not count, and changes nothing", async () => {
    const { server, call, signIn } = await scene();
    const { cookie } = await signIn(ADMIN_KEY);
    const { host } = new URL(server.url);
    for (const from of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" },
      { "sec-fetch-site": "none", origin: "null" },
      { origin: "http://127.0.0.1:1" },
      { origin: "null" },
      { origin: `http://${host}.evil.example` },
    ]) {
      const headers = { cookie, ...from };
      const added = await call("POST", "/admin/users/add", headers, {});
      expect([added.status, added.body.error]).toEqual([401, "Invalid admin key"]);
      expect((await call("DELETE", "/api/session", headers)).status).toBe(401);
      expect((await call("GET", "/api/session", headers)).body.hint).toContain("own pages only");
    }
    expect((await call("GET", "/admin/users", { cookie, origin: `http://${host}` })).body.users).toEqual([]);
    expect((await call("GET", "/admin/users", { cookie })).status).toBe(200);
  });

  test("a session beside a key does not count, even if the key is wrong", async () => {
    const { call, addUser, signIn } = await scene();
    const { token } = await addUser();
    const browser = await signIn(ADMIN_KEY);
    expect((await call("GET", "/admin/users", { ...browser, authorization: token })).status).toBe(401);
    expect((await call("GET", "/api/session", { ...browser, authorization: token })).body.role).toBe("user");
    expect((await call("GET", "/api/session", { ...browser, authorization: "wrong" })).status).toBe(401);
    const stale = { cookie: "session-1=x", ...SAME_ORIGIN };
    expect((await call("POST", "/admin/users/add", stale, { admin_key: ADMIN_KEY })).status).toBe(200);
  });

  test("an ended session is not counted as a wrong key, however often an open page sends it", async () => {
    const { call, signIn } = await scene(["--key-failures-max", "1"]);
    const browser = await signIn(ADMIN_KEY);
    await call("DELETE", "/api/session", browser);
    for (let time = 0; time < 5; time++)
      expect((await call("GET", "/admin/overview", browser)).status).toBe(401);
  });

  test("the log names the user of a session, and why a session was refused", async () => {
    const { server, call, signIn } = await scene();
    const browser = await signIn(ADMIN_KEY);
    await call("GET", "/api/session", browser);
    await call("GET", "/admin/users", { ...browser, "sec-fetch-site": "cross-site" });
    await call("DELETE", "/api/session", browser);
    await call("GET", "/api/session", browser);
    const lines = server
      .logged()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const told = lines.filter(({ event }) => event === "request");
    expect(told.slice(1).map(({ route, user, error }) => [route, user, error])).toEqual([
      ["/api/session", "admin", undefined],
      ["/admin/users", undefined, "session_foreign"],
      ["/api/session", "admin", undefined],
      ["/api/session", undefined, "session_ended"],
    ]);
  });
});

describe("the attribute Secure of the session cookie", () => {
  /** Uses a socket, as `fetch` does not send `X-Forwarded-Proto` in every case. */
  const setCookie = async (server: TestServer, lines: string[]) => {
    const source = connectSource(server.url);
    const { host } = new URL(server.url);
    const head = ["POST /api/session HTTP/1.1", `Host: ${host}`, `Authorization: ${ADMIN_KEY}`, ...lines];
    source.write(`${[...head, "Content-Length: 0"].join("\r\n")}\r\n\r\n`);
    const answered = await takeHead(source);
    if (answered) await takeBody(source, answered);
    source.socket.destroy();
    return answered?.headers.get("set-cookie") ?? "";
  };
  const FORWARDED = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"];

  test("the session cookie is Secure if a trusted proxy says that the browser used TLS", async () => {
    const server = await startTestServer(["--trust-proxy", "loopback"]);
    expect(await setCookie(server, FORWARDED)).toContain("; Secure;");
    expect(await setCookie(server, ["Forwarded: for=192.0.2.1;proto=https"])).toContain("; Secure;");
    expect(await setCookie(server, ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"])).toEndWith(
      "; SameSite=Strict",
    );
  });

  test("the session cookie is not Secure behind an untrusted proxy, or without X-Forwarded-Proto", async () => {
    const server = await startTestServer();
    expect(await setCookie(server, FORWARDED)).toEndWith("; SameSite=Strict");
    expect(await setCookie(server, [])).toEndWith("; SameSite=Strict");
  });
});
