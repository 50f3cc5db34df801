import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

const ORIGIN = "https://chat.example.com";

async function scene() {
  const { url } = await startTestServer(["--public-url", `${ORIGIN}:443/`]);
  const call = async (method: string, path: string, headers: Record<string, string>) => {
    const response = await fetch(url + path, { method, headers });
    const body = (await response.json()) as { public_url?: string };
    return { status: response.status, headers: response.headers, body };
  };
  /** Resolves with whether the live view opens. */
  const opensLiveView = (headers: Record<string, string>): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = new WebSocket(`${url.replace("http", "ws")}/admin/live`, { headers });
    socket.onopen = () => resolve(true);
    socket.onclose = () => resolve(false);
    return promise.finally(() => socket.close());
  };
  return { call, opensLiveView };
}

test("the session names the public URL, for users too", async () => {
  const { call } = await scene();
  const added = await call("POST", "/admin/users/add", { authorization: ADMIN_KEY });
  const { token } = added.body as { token?: string };
  for (const key of [ADMIN_KEY, token ?? ""])
    expect((await call("GET", "/api/session", { authorization: key })).body.public_url).toBe(ORIGIN);
});

test("the pages at the public URL are the server's own, whatever host a proxy sends, and no others are", async () => {
  const { call, opensLiveView } = await scene();
  const signIn = (origin: string) => call("POST", "/api/session", { authorization: ADMIN_KEY, origin });
  const signedIn = await signIn(ORIGIN);
  expect(signedIn.body.public_url).toBe(ORIGIN);
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await call("GET", "/admin/users", { cookie, origin: ORIGIN })).status).toBe(200);
  for (const origin of ["http://chat.example.com", "https://evil.example"]) {
    expect((await signIn(origin)).status).toBe(401);
    expect((await call("GET", "/admin/users", { cookie, origin })).status).toBe(401);
    // The live view checks the origin of every kind of key.
    expect(await opensLiveView({ authorization: ADMIN_KEY, origin })).toBe(false);
    expect(await opensLiveView({ cookie, origin })).toBe(false);
  }
  expect(await opensLiveView({ authorization: ADMIN_KEY, origin: ORIGIN })).toBe(true);
  expect(await opensLiveView({ cookie, origin: ORIGIN })).toBe(true);
});
