import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { cookieFor, SAME_ORIGIN } from "../../support/session.ts";

const signIn = async ({ url }: TestServer, key: string) => ({
  cookie: await cookieFor(url, key),
  ...SAME_ORIGIN,
});

test("sessions survive a restart, but an administrator's does not survive another admin key", async () => {
  const server = await startTestServer();
  const init = { method: "POST", headers: { authorization: ADMIN_KEY } };
  const { token } = (await (await fetch(`${server.url}/admin/users/add`, init)).json()) as { token: string };
  const [admin, user] = [await signIn(server, ADMIN_KEY), await signIn(server, token)];
  const port = Number(new URL(server.url).port);
  const restart = async (last: TestServer, adminKey: string) => {
    await last.stop();
    return startTestServer([], { data: server.data, port, adminKey });
  };
  const statuses = async ({ url }: TestServer) => {
    const read = (headers: Record<string, string>) => fetch(`${url}/api/session`, { headers });
    return [(await read(admin)).status, (await read(user)).status];
  };
  const again = await restart(server, ADMIN_KEY);
  expect(await statuses(again)).toEqual([200, 200]);
  expect(await statuses(await restart(again, "another-admin-key"))).toEqual([401, 200]);
});

test("a server with a cluster key names its cookie after that key, not after its port", async () => {
  const flags = ["--cluster-key", "0123456789abcdef0123456789abcdef"];
  const names = new Set<string>();
  for (let time = 0; time < 2; time++) {
    const server = await startTestServer(flags);
    names.add((await signIn(server, ADMIN_KEY)).cookie.split("=")[0] ?? "");
  }
  expect([...names]).toEqual([expect.stringMatching(/^session-[\w-]{12}$/)]);
});

test("the sign-in code of a data folder ends with the process that printed it", async () => {
  const server = await startTestServer();
  await server.stop();
  const again = await startTestServer([], { data: server.data });
  const body = JSON.stringify({ code: server.signInCode });
  const answer = await fetch(`${again.url}/api/session`, { method: "POST", headers: SAME_ORIGIN, body });
  expect(answer.status).toBe(401);
});
