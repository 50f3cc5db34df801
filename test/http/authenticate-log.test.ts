import { expect, test } from "bun:test";
import { ROUTES } from "../../src/http/resources.ts";
import type { Access, NamedRoute } from "../../src/http/route.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";

/** The user that is logged for a request with the admin key. */
const LOGGED: Record<Access, string | undefined> = {
  none: undefined,
  caller: "admin",
  signIn: "admin",
  code: undefined,
  admin: "admin",
  adminOrQuery: "admin",
  adminOrBody: "admin",
  metrics: "admin",
  // Only an agent key registers an agent.
  agent: undefined,
  agentInPath: undefined,
};

const OF_USERS: readonly Access[] = ["caller", "signIn"];

async function start() {
  const server = await startTestServer();
  /** Sends a request that the handler may refuse. Returns the `user` of its line in the log. */
  const userLogged = async ({ method, path }: NamedRoute, key: string) => {
    const url = server.url + path.replaceAll(/:\w+(\{[^}]*\})?/g, "unknown");
    const response = await fetch(url, {
      // A `GET` would make a backup.
      method: method === "GET" ? "HEAD" : method,
      headers: { authorization: key },
      ...(method !== "GET" && { body: "{}" }),
    });
    await response.text();
    const id = response.headers.get("x-request-id");
    const lines = server.logged().trim().split("\n");
    const line = lines.map((text) => JSON.parse(text)).find((one) => one.request_id === id && one.ms >= 0);
    expect(line.route).toBe(path);
    return line.user;
  };
  return { server, userLogged };
}

test("the log names the administrator on every route that they authenticate for", async () => {
  const { userLogged } = await start();
  for (const route of ROUTES)
    expect([route.operationId, await userLogged(route, ADMIN_KEY)]).toEqual([
      route.operationId,
      LOGGED[route.access],
    ]);
});

test("the log names the user on every route for callers, and nobody on the routes that their token does not open", async () => {
  const { server, userLogged } = await start();
  const added = await fetch(`${server.url}/admin/users/add`, {
    ...{ method: "POST", headers: { authorization: ADMIN_KEY } },
  });
  const { token, user_id } = (await added.json()) as { token: string; user_id: string };
  for (const route of ROUTES)
    expect([route.operationId, await userLogged(route, token)]).toEqual([
      route.operationId,
      OF_USERS.includes(route.access) ? user_id : undefined,
    ]);
});
