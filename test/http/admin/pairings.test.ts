import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { connectV2Agent } from "../../support/v2-agent.ts";

const NO_PREFERENCE = { priority: null, weight: null, tags: null, owner_id: null, shows_name: false };

async function scene(flags: string[] = []) {
  const server = await startTestServer(flags);
  const call = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/${path}`, {
      method,
      headers: path.startsWith("admin") ? { authorization: ADMIN_KEY } : headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };
  return {
    server,
    call,
    make: async (fields: object = {}) => (await call("POST", "admin/agents/pairings", fields)).body,
    pair: (code: string, fields: object = {}, headers: Record<string, string> = {}) =>
      call("POST", "agents/pair", { code, ...fields }, headers),
    list: async () => (await call("GET", "admin/agents/pairings")).body.pairings,
    keys: async () => (await call("GET", "admin/agents/keys")).body.keys,
    audit: async () => (await call("GET", "admin/audit")).body.audit,
  };
}

test("an agent exchanges a code, without any other key, for a key that lets it in", async () => {
  const { server, make, pair, list, keys, audit } = await scene();
  const { code, expires_at, ...pairing } = await make({ models: ["m"], priority: 10, tags: ["home"] });
  const given = { models: ["m"], ...NO_PREFERENCE, priority: 10, tags: ["home"] };
  expect(pairing).toEqual({ id: expect.any(String), name: null, ...given });
  expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(590_000);
  expect(await list()).toEqual([{ ...pairing, expires_at }]);
  const { status, body } = await pair(code.toLowerCase().replace("-", " "), { name: "desk" });
  expect([status, body]).toEqual([200, { name: "desk", key: expect.stringMatching(/^agent-[\w-]{43}$/) }]);
  expect(await keys()).toMatchObject([{ id: pairing.id, name: "desk", ...given }]);
  expect(await list()).toEqual([]);
  await connectV2Agent(server.url, { key: body.key });
  const { id } = pairing;
  expect(await audit()).toMatchObject([
    { actor: "agent", action: "pairing.redeem", target: id, detail: { name: "desk" }, address: "127.0.0.1" },
    {
      actor: "admin",
      action: "pairing.add",
      target: id,
      detail: { name: null, models: ["m"], priority: 10 },
    },
  ]);
  const written = server.logged() + JSON.stringify(await audit());
  for (const secret of [code, code.replace("-", ""), body.key]) expect(written).not.toContain(secret);
});

test("codes that are used, cancelled, wrong or malformed get one answer, which says what to do", async () => {
  const { call, make, pair, audit } = await scene();
  const [used, cancelled] = [await make(), await make({ name: "box" })];
  await pair(used.code);
  const { id } = cancelled;
  expect((await call("DELETE", `admin/agents/pairings/${id}`)).body).toEqual({ id, cancelled: true });
  expect((await audit())[0]).toMatchObject({ action: "pairing.cancel", target: id, detail: { name: "box" } });
  const answers = [];
  for (const code of [used.code, cancelled.code, "0000-0000", "x"]) answers.push(await pair(code));
  for (const { status, body } of answers) expect([status, body]).toEqual([401, answers[0]?.body]);
  expect(JSON.stringify(answers[0]?.body)).toContain("agents pair");
  for (const gone of [used.id, cancelled.id, "none"])
    expect((await call("DELETE", `admin/agents/pairings/${gone}`)).body.error).toContain("No such pairing");
});

test("two who redeem one code at the same time get one key", async () => {
  const { make, pair, keys } = await scene();
  const { code } = await make({ name: "box" });
  const answers = await Promise.all(Array.from({ length: 6 }, () => pair(code)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
  expect(await keys()).toHaveLength(1);
});

test("after ten wrong codes an address is refused, even with a right one, but not for its keys", async () => {
  const { call, make, pair, keys } = await scene();
  const { code } = await make();
  const guesses = await Promise.all(Array.from({ length: 30 }, (_, nth) => pair(`0000-00${10 + nth}`)));
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10);
  const { status, headers, body } = await pair(code);
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  expect(body.error).toBe("Too many wrong pairing codes");
  expect(await keys()).toEqual([]);
  expect((await call("POST", "admin/agents/pairings", {})).status).toBe(200);
});

test("behind a trusted proxy, wrong codes count for the address that sent them", async () => {
  const { make, pair } = await scene(["--trust-proxy", "127.0.0.1"]);
  const { code } = await make();
  const from = (address: string) => ({ "x-forwarded-for": address });
  for (let nth = 0; nth < 12; nth++) await pair("0000-0000", {}, from("192.0.2.1"));
  expect((await pair(code, {}, from("192.0.2.1"))).status).toBe(429);
  expect((await pair(code, {}, from("192.0.2.2"))).status).toBe(200);
});

test.each([
  ["no code", {}],
  ["a number for a code", { code: 1 }],
  ["a long code", { code: "x".repeat(65) }],
  ["an unknown field", { code: "0000-0000", models: ["m"] }],
  ["a name with a control character", { code: "0000-0000", name: "a\u0007" }],
])("a body with %s is refused", async (_, body) => {
  const { call } = await scene();
  const answer = await call("POST", "agents/pair", body);
  expect([answer.status, answer.body.error]).toEqual([400, "Invalid request body"]);
});

test("a code needs the admin key, and a free name for its key", async () => {
  const { server, call, make, pair } = await scene();
  const stranger = await fetch(`${server.url}/admin/agents/pairings`, { method: "POST", body: "{}" });
  expect(stranger.status).toBe(401);
  await pair((await make({ name: "box" })).code);
  expect((await call("POST", "admin/agents/pairings", { name: "box" })).status).toBe(409);
  expect((await call("POST", "admin/agents/pairings", { owner_id: "nobody" })).status).toBe(404);
});

test("the link of a code says what it is for, and holds no code", async () => {
  const { server } = await scene();
  const response = await fetch(`${server.url}/pair`);
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await response.text()).toContain("chatgpt-api-server agent");
});

test("the page of a link names the server as agents reach it", async () => {
  const textOf = async (flags: readonly string[]) =>
    (await fetch(`${(await startTestServer(flags)).url}/pair`)).text();
  expect(await textOf([])).toContain("run: chatgpt-api-server agent '<this whole link>'\n");
  expect(await textOf(["--public-url", "https://chat.example.com"])).toContain(
    "run: chatgpt-api-server agent 'https://chat.example.com/pair#<code>'\n",
  );
});
