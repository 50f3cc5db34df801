import { describe, expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { cookieFor, SAME_ORIGIN } from "../../support/session.ts";

interface Row {
  id: string;
  role: string;
  user_id: string | null;
  is_current: boolean;
  user_agent: string | null;
}

async function scene() {
  const { url } = await startTestServer();
  const call = async (method: string, path: string, headers: Record<string, string>) => {
    const response = await fetch(url + path, { method, headers });
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, body: (await response.json()) as any };
  };
  const admin = { authorization: ADMIN_KEY };
  const addUser = async (): Promise<{ user_id: string; token: string }> =>
    (await call("POST", "/admin/users/add", admin)).body;
  const signIn = async (key: string) => ({ cookie: await cookieFor(url, key), ...SAME_ORIGIN });
  const list = async (headers: Record<string, string>): Promise<Row[]> =>
    (await call("GET", "/api/sessions", headers)).body.sessions;
  const end = (id: string, headers: Record<string, string>) => call("DELETE", `/api/sessions/${id}`, headers);
  return { call, admin, addUser, signIn, list, end };
}

describe("the list of sessions", () => {
  test("users see their own sessions, and administrators those of everyone", async () => {
    const { admin, addUser, signIn, list } = await scene();
    const [ann, bob] = [await addUser(), await addUser()];
    const browser = await signIn(ann.token);
    await signIn(ann.token);
    await signIn(bob.token);
    await signIn(ADMIN_KEY);
    const own = await list(browser);
    expect(own.map(({ is_current }) => is_current)).toEqual([false, true]);
    expect(own.every(({ role, user_id }) => role === "user" && user_id === ann.user_id)).toBe(true);
    expect(own[0]?.user_agent).toMatch(/^Bun\//);
    const all = await list(admin);
    expect(all.map(({ user_id }) => user_id)).toEqual([null, bob.user_id, ann.user_id, ann.user_id]);
    expect(all.some(({ is_current }) => is_current)).toBe(false);
  });

  test("users end their own sessions only, and administrators those of anyone, which is audited", async () => {
    const { call, admin, addUser, signIn, list, end } = await scene();
    const [ann, bob] = [await addUser(), await addUser()];
    const [first, second] = [await signIn(ann.token), await signIn(ann.token)];
    const byBob = await signIn(bob.token);
    const id = (await list(first)).find(({ is_current }) => is_current)?.id ?? "";
    expect(await end(id, byBob)).toMatchObject({ status: 404, body: { error: "There is no such session" } });
    expect(await end("no-such-id", admin)).toMatchObject({ status: 404 });
    expect((await call("GET", "/api/session", first)).status).toBe(200);

    expect(await end(id, second)).toEqual({ status: 200, body: { message: "Session ended" } });
    expect((await call("GET", "/api/session", first)).status).toBe(401);
    expect((await end(id, second)).status).toBe(404);

    const other = (await list(second))[0]?.id ?? "";
    expect((await end(other, admin)).status).toBe(200);
    expect((await call("GET", "/api/session", second)).status).toBe(401);
    const { audit } = (await call("GET", "/admin/audit", admin)).body;
    expect(audit[0]).toMatchObject({ action: "session.end", target: ann.user_id, detail: { role: "user" } });
    expect(audit.filter(({ action }: { action: string }) => action === "session.end")).toHaveLength(1);
  });
});

test("the audit records the sign-ins of administrators with their address, and neither users' nor failed ones", async () => {
  const { call, admin, addUser, signIn } = await scene();
  const { token } = await addUser();
  await signIn(token);
  await call("POST", "/api/session", { authorization: "wrong" });
  await signIn(ADMIN_KEY);
  const rows = (await call("GET", "/admin/audit?action=session", admin)).body.audit;
  expect(rows).toMatchObject([
    {
      actor: "admin",
      action: "session.begin",
      target: null,
      detail: { role: "admin" },
      address: "127.0.0.1",
    },
  ]);
  expect(JSON.stringify(rows)).not.toContain(ADMIN_KEY);
});
