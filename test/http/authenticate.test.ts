import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupMaker } from "../../src/backup/download.ts";
import { readServerArgs } from "../../src/cli/args.ts";
import { type AppDeps, createApp } from "../../src/http/app.ts";
import { createLog } from "../../src/log/log.ts";
import { ENDPOINTS, isOllamaEndpoint } from "../../src/protocol/agent-v2.ts";
import { hasByteAnswer } from "../../src/protocol/endpoints.ts";
import { type RunningServer, startServer } from "../../src/server/compose.ts";
import { expectDescribed } from "../support/description/described.ts";
import { MODEL_ROUTES } from "../support/model-route-access.ts";
import { registerFromElsewhere } from "../support/registration.ts";
import {
  COOKIES,
  type Cookie,
  isAllowed,
  isAllowedByCookie,
  KEYS,
  type Key,
  type Route,
  refusal,
  WAYS,
} from "../support/route-access.ts";
import { BYTE_ROUTES, bodyOf } from "../support/route-bodies.ts";
import { ADMIN_KEY } from "../support/server.ts";
import { cookieFor, dashboardScript, SAME_ORIGIN } from "../support/session.ts";
import { type AskFrame, connectV2Agent, streamPieces, V2_HELLO, type V2Agent } from "../support/v2-agent.ts";

/** Every route by its method and path. A route that is missing here fails the first test. */
const ROUTES: Record<string, Route> = {
  "GET /admin/problems": { for: "admin" },
  "POST /admin/webhook/test": { for: "admin", status: 409 },
  "GET /health": { for: "anyone" },
  "GET /ready": { for: "anyone" },
  "GET /metrics": { for: "admin", keyOnly: true },
  "GET /openapi.json": { for: "anyone" },
  "GET /docs": { for: "anyone" },
  "GET /dashboard": { for: "anyone" },
  "GET /dashboard/:file": { for: "anyone", path: () => dashboardScript(url) },
  "POST /api/session": { for: "caller", keyOnly: true },
  "GET /api/session": { for: "caller" },
  "DELETE /api/session": { for: "caller" },
  "GET /api/sessions": { for: "caller" },
  // Whose sessions they may end is tested elsewhere.
  "DELETE /api/sessions/:id": { for: "caller", path: () => "/api/sessions/none", status: 404 },
  // A right body would take the token that the other tests use.
  "POST /api/token/rotate": { for: "caller", body: () => ({ grace_seconds: -1 }), status: 400 },
  "POST /api/ask": { for: "owner", body: () => ({ content: "more", conversation_id: conversation }) },
  "GET /api/connections": { for: "caller" },
  "GET /api/queue": { for: "caller" },
  "GET /api/usage": { for: "caller" },
  "GET /api/requests": { for: "caller" },
  "GET /admin/models": { for: "admin" },
  "GET /admin/models/:id{.+}": { for: "admin", path: () => "/admin/models/m" },
  ...MODEL_ROUTES,
  ...BYTE_ROUTES,
  "POST /admin/users/add": { for: "admin", body: () => ({ name: "added" }) },
  "POST /admin/users/delete": { for: "admin", body: () => ({ user_id: victim.user_id }) },
  "GET /admin/users": { for: "admin" },
  "GET /admin/users/:id": { for: "admin", path: () => `/admin/users/${victim.user_id}` },
  "PATCH /admin/users/:id": {
    for: "admin",
    path: () => `/admin/users/${victim.user_id}`,
    body: () => ({ max_parallel: 1 }),
  },
  "DELETE /admin/users/:id": { for: "admin", path: () => `/admin/users/${victim.user_id}` },
  "POST /admin/users/:id/disable": { for: "admin", path: () => `/admin/users/${victim.user_id}/disable` },
  "POST /admin/users/:id/enable": { for: "admin", path: () => `/admin/users/${victim.user_id}/enable` },
  "POST /admin/users/:id/rotate": { for: "admin", path: () => `/admin/users/${victim.user_id}/rotate` },
  "GET /admin/users/:id/usage": { for: "admin", path: () => `/admin/users/${victim.user_id}/usage` },
  "GET /admin/usage": { for: "admin" },
  "GET /admin/requests": { for: "admin" },
  "GET /admin/traffic": { for: "admin" },
  "GET /admin/audit": { for: "admin" },
  "GET /admin/overview": { for: "admin" },
  "GET /admin/live": { for: "admin", status: 400 },
  "GET /admin/settings": { for: "admin" },
  "PATCH /admin/settings": { for: "admin", body: () => ({ usageDays: 300 }) },
  "GET /admin/backup": { for: "admin" },
  "GET /admin/agents": { for: "admin" },
  "POST /admin/agents/:id/disconnect": { for: "admin", path: () => pathOfAgent("disconnect") },
  "POST /admin/agents/:id/reset": { for: "admin", path: () => pathOfAgent("reset") },
  // The agents here do not allow it.
  "POST /admin/agents/:id/update": { for: "admin", path: () => pathOfAgent("update"), status: 409 },
  "GET /admin/agents/keys": { for: "admin" },
  "POST /admin/agents/keys": { for: "admin", body: () => ({ name: crypto.randomUUID() }) },
  "PATCH /admin/agents/keys/:id": { for: "admin", path: () => pathOfKey(), body: () => ({ priority: 1 }) },
  "DELETE /admin/agents/keys/:id": { for: "admin", path: () => pathOfKey() },
  "GET /admin/agents/pairings": { for: "admin" },
  "POST /admin/agents/pairings": { for: "admin", body: () => ({ name: crypto.randomUUID() }) },
  "DELETE /admin/agents/pairings/:id": { for: "admin", path: () => pathOfPairing() },
  "GET /pair": { for: "anyone" },
  // Everyone who has a code may: a request without one is not valid.
  "POST /agents/pair": { for: "anyone", status: 400 },
  "GET /client/register": { for: "agent", status: 101 },
  "GET /agents/:key/client/register": { for: "agent", status: 101 },
  "POST /client/poll": { for: "agent", status: 200 },
  "POST /agents/:key/client/poll": { for: "agent", status: 200 },
};

const data = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
const tokens = {} as Record<Exclude<Key, "none">, string>;
const agents: V2Agent[] = [];
let server: RunningServer;
let url = "";
let endDescribed = () => {};
/** The first user's conversation. */
let conversation = "";
/** A user who sends no requests; a new one after each change. */
let victim = { user_id: "", token: "" };

beforeAll(async () => {
  const flags = ["--data", data, "--key-failures-max", "1000000"];
  const { config } = readServerArgs({ args: ["0", ADMIN_KEY, ...flags], env: {} });
  const command = [process.execPath, join(import.meta.dir, "../../src/main.ts")];
  const makeBackup = backupMaker(config, command);
  server = await startServer(config, createLog({ write: () => {} }), { makeBackup });
  url = `http://127.0.0.1:${server.port}`;
  endDescribed = expectDescribed(url);
  await joinAgent({ endpoints: ENDPOINTS, capabilities: ["bytes"] });
  const users = await Promise.all([addUser(), addUser(), addUser(), addUser()]);
  victim = await addUser();
  const [user, another, disabled, expired] = users.map(({ token }) => token) as [string, ...string[]];
  await administer("POST", `/admin/users/${users[2]?.user_id}/disable`);
  await administer("PATCH", `/admin/users/${users[3]?.user_id}`, { expires_at: "2020-01-01T00:00:00Z" });
  Object.assign(tokens, { wrong: crypto.randomUUID(), user, "another user": another, disabled, expired });
  Object.assign(tokens, { agent: (await addAgentKey()).key, admin: ADMIN_KEY });
  const begun = await fetch(`${url}/api/ask`, {
    method: "POST",
    headers: { authorization: user },
    body: '{"content":"hi"}',
  });
  conversation = ((await begun.json()) as { conversation_id: string }).conversation_id;
});

afterAll(async () => {
  for (const agent of agents) agent.stop();
  endDescribed();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

function answer({ ask, stream, endpoint }: AskFrame, agent: V2Agent): void {
  if (isOllamaEndpoint(endpoint))
    agent.say({ type: "done", ask, status: 200, body: '{"embeddings":[[1]],"done":true}' });
  else if (stream && !hasByteAnswer(endpoint)) streamPieces(agent, ask, ["hello"]);
  else agent.say({ type: "done", ask, status: 200, body: "{}" });
}

async function administer<Body>(method: string, path: string, body: object = {}): Promise<Body> {
  const headers = { authorization: ADMIN_KEY };
  const init = method === "GET" ? { headers } : { method, headers, body: JSON.stringify(body) };
  return (await fetch(url + path, init)).json() as Promise<Body>;
}

const addUser = () => administer<typeof victim>("POST", "/admin/users/add");
const addAgentKey = () =>
  administer<{ id: string; key: string }>("POST", "/admin/agents/keys", { name: crypto.randomUUID() });

const pathOfKey = async () => `/admin/agents/keys/${(await addAgentKey()).id}`;
const addPairing = () =>
  administer<{ id: string }>("POST", "/admin/agents/pairings", { name: crypto.randomUUID() });
const pathOfPairing = async () => `/admin/agents/pairings/${(await addPairing()).id}`;
const pathOfAgent = async (action: string) =>
  `/admin/agents/${(await joinAgent({ models: [] })).ready.agent}/${action}`;
async function joinAgent(offer: object): Promise<V2Agent> {
  const hello = { ...V2_HELLO, ...offer };
  agents.push(await connectV2Agent(url, { key: server.agentKey, hello, onAsk: answer }));
  return agents.at(-1) as V2Agent;
}

/** Returns everything that an administrator can change. */
const everything = async () =>
  JSON.stringify([
    await administer("GET", "/admin/users?details=true"),
    await administer("GET", "/admin/agents/keys"),
    await administer("GET", "/admin/agents/pairings"),
    (await administer<{ agents: { id: string }[] }>("GET", "/admin/agents")).agents.map(({ id }) => id),
  ]);

async function cookieHeaders(kind: Cookie): Promise<Record<string, string>> {
  const cookie = await cookieFor(url, kind === "user's session" ? tokens.user : ADMIN_KEY);
  if (kind === "session from another site") return { cookie, "sec-fetch-site": "same-site" };
  if (kind === "ended session")
    await fetch(`${url}/api/session`, { method: "DELETE", headers: { cookie, ...SAME_ORIGIN } });
  return { cookie, ...SAME_ORIGIN };
}

/** The paths by route. The target of a refused change is used again for the next request. */
const paths = new Map<string, string>();

async function request(name: string, route: Route, headers: Record<string, string>, query = "") {
  const [method = "", pattern = ""] = name.split(" ");
  const path = paths.get(name) ?? (await route.path?.()) ?? pattern;
  paths.set(name, path);
  const isChange = route.for === "admin" && method !== "GET";
  const before = isChange ? await everything() : "";
  const body = method === "GET" ? {} : { body: bodyOf(route) };
  const response = await fetch(url + path + query, { method, headers, ...body });
  const text = await response.text();
  if (isChange && response.ok) {
    paths.clear();
    victim = await addUser();
  }
  return { status: response.status, text, changed: isChange && (await everything()) !== before };
}

test("every declared route has its line in the matrix, and every line its route", () => {
  const nothing: unknown = new Proxy(() => {}, { get: () => nothing, apply: () => nothing });
  const { routes } = createApp(nothing as AppDeps);
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  const ofAll = (name: string) => name.startsWith("ALL ") || name === "OPTIONS /*";
  expect(names.filter((name) => !ofAll(name)).sort()).toEqual(Object.keys(ROUTES).sort());
});

const OVER_HTTP = Object.entries(ROUTES).filter(([, route]) => route.for !== "agent");

describe.each(OVER_HTTP)("%s", (name, route) => {
  test.each(KEYS)("a request is answered or refused as its key demands: %s", async (key) => {
    const ways = key === "none" ? [{}] : Object.values(WAYS).map((way) => way(tokens[key]));
    for (const headers of ways) {
      const { status, text, changed } = await request(name, route, headers);
      if (isAllowed(route, key)) {
        expect([headers, status, text]).toEqual([headers, route.status ?? 200, text]);
        continue;
      }
      if (route.for === "owner" && key === "another user") {
        expect([status, text]).toEqual([404, `{"error":"Conversation doesn't exists"}`]);
      } else {
        expect([headers, status]).toEqual([headers, 401]);
        expect(text).toMatch(refusal(route, key));
      }
      expect(changed).toBe(false);
      expect(text).not.toContain(ADMIN_KEY);
    }
  });
});

describe.each(OVER_HTTP)("%s", (name, route) => {
  test.each(COOKIES)("a request is answered or refused as its cookie demands: %s", async (kind) => {
    const headers = await cookieHeaders(kind);
    const { status, text, changed } = await request(name, route, headers);
    if (isAllowedByCookie(route, kind)) {
      expect([status, text]).toEqual([route.status ?? 200, text]);
      return;
    }
    expect(status).toBe(401);
    expect(text).toMatch(refusal(route, "none"));
    expect(changed).toBe(false);
  });
});

describe.each(OVER_HTTP.filter(([, route]) => route.for === "admin"))("%s", (name, route) => {
  test("a route for administrators accepts no other key in the body or the query", async () => {
    for (const [key, admin_key] of Object.entries(tokens)) {
      if (key === "admin") continue;
      const asked = { ...route, body: () => ({ ...(route.body?.() as object), admin_key }) };
      const query = name.startsWith("GET") ? `?admin_key=${admin_key}` : "";
      const { status, changed } = await request(name, asked, {}, query);
      expect([key, status, changed]).toEqual([key, 401, false]);
    }
  });
});

describe.each(Object.entries(ROUTES).filter(([, route]) => route.for === "agent"))("%s", (name, route) => {
  const [method = "", pattern = ""] = name.split(" ");
  /** Resolves with the status, and the body if the agent is not let in. */
  const register = (key: Key) => {
    const shown = key === "none" ? undefined : tokens[key];
    const authorization = shown === undefined || pattern.includes(":key") ? undefined : `Bearer ${shown}`;
    const request = { method, path: pattern.replace(":key", shown ?? "-") };
    return registerFromElsewhere(url, request, authorization);
  };

  test("an administrator's session cannot register an agent", async () => {
    const cookie = await cookieFor(url, ADMIN_KEY);
    const response = await fetch(url + pattern.replace(":key", "-"), {
      method,
      headers: { cookie, ...SAME_ORIGIN, "x-forwarded-for": "192.0.2.1" },
    });
    expect(response.status).toBe(401);
  });

  test.each(KEYS)("a request is answered or refused as its key demands: %s", async (key) => {
    const refused = [401, expect.stringMatching(/[Aa]gent key/)];
    expect<unknown[]>(await register(key)).toEqual(key === "agent" ? [route.status, ""] : refused);
  });
});
