import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { openTestFile } from "../../support/store.ts";

const KEY = { authorization: ADMIN_KEY };
const LIMITS = {
  name: "Ann",
  expires_at: "2999-12-31T23:59:59.000Z",
  models: ["llama", "qwen"],
  requests_per_minute: 100,
  tokens_per_day: 1_000_000,
  ...{ max_parallel: 4, budget_day: 2.5, budget_month: 1_000_000_000 },
  priority: "low",
  agent_tags: ["home", "gpu"],
};
const UNLIMITED = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]));

interface Answer {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
  body: any;
}

function requests({ url }: TestServer) {
  const send = async (method: string, path: string, body?: unknown, headers = KEY): Promise<Answer> => {
    const response = await fetch(`${url}/admin/users${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  };
  return {
    send,
    add: async (fields: object = {}) =>
      (await send("POST", "/add", fields)).body as { user_id: string; token: string },
    /** Whether the server accepts the token. */
    admits: async (token: string) =>
      (await fetch(`${url}/v1/models`, { headers: { authorization: token } })).status === 200,
  };
}

const scene = async () => {
  const server = await startTestServer();
  return { server, ...requests(server) };
};

describe("adding a user", () => {
  test("adding a user accepts every attribute, and answers with them, the token and the id", async () => {
    const { send } = await scene();
    const { status, body } = await send("POST", "/add", LIMITS);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["token", "user_id", ...Object.keys(LIMITS)]);
    expect(body).toMatchObject(LIMITS);
    const { token: _, ...rest } = body;
    expect((await send("GET", `/${body.user_id}`)).body).toEqual({
      ...rest,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      disabled_at: null,
    });
  });

  test("adding a user without attributes answers as the Go server does, and ignores null and unknown fields", async () => {
    const { send } = await scene();
    const { body } = await send("POST", "/add", { user_id: "mine", name: null, models: null, colour: "red" });
    expect(Object.keys(body)).toEqual(["token", "user_id"]);
    expect((await send("GET", `/${body.user_id}`)).body).toMatchObject(UNLIMITED);
  });

  for (const [what, field] of [
    ["an empty name", { name: " " }],
    ["a name with control characters", { name: "a\u001b[2Jb" }],
    ["a name that is too long", { name: "x".repeat(201) }],
    ["a day for a time", { expires_at: "2026-12-31" }],
    ["a time without a zone", { expires_at: "2026-12-31T00:00:00" }],
    ["a number for a time", { expires_at: 1_800_000_000 }],
    ["no model at all", { models: [] }],
    ["a model without a name", { models: [""] }],
    ["a text for models", { models: "llama" }],
    ["a limit of nothing", { requests_per_minute: 0 }],
    ["a limit below nothing", { tokens_per_day: -1 }],
    ["half a limit", { max_parallel: 1.5 }],
    ["a text for a limit", { max_parallel: "4" }],
    ["an unknown priority", { priority: "urgent" }],
    ["no tag at all", { agent_tags: [] }],
    ["a tag with a comma", { agent_tags: ["home,gpu"] }],
    ["a tag with a capital", { agent_tags: ["Home"] }],
    ["a tag that is too long", { agent_tags: ["x".repeat(65)] }],
    ["too many tags", { agent_tags: Array.from({ length: 33 }, (_, index) => `tag${index}`) }],
  ] as const) {
    test(`adding or changing a user refuses ${what}, names the field, and changes nothing`, async () => {
      const { send, add } = await scene();
      const [name = ""] = Object.keys(field);
      const added = await send("POST", "/add", field);
      expect([added.status, added.body.error]).toEqual([400, "Invalid request body"]);
      expect(added.body.hint).toContain(name);
      expect((await send("GET", "")).body).toEqual({ users: [] });
      const { user_id } = await add(LIMITS);
      expect((await send("PATCH", `/${user_id}`, { max_parallel: 9, ...field })).status).toBe(400);
      expect((await send("GET", `/${user_id}`)).body).toMatchObject(LIMITS);
    });
  }
});

describe("the list of users", () => {
  test("the list of users is the Go server's, and has more fields only when asked for", async () => {
    const { send, add } = await scene();
    const users = [await add(LIMITS), await add()];
    const plain = await send("GET", "");
    expect(plain.text).toBe(
      JSON.stringify({ users: users.map(({ user_id, token }) => ({ user_id, token })) }),
    );
    const { body } = await send("GET", "?details=true");
    expect(body.users).toMatchObject([
      { ...LIMITS, user_id: users[0]?.user_id, token: users[0]?.token, disabled_at: null },
      { ...UNLIMITED, user_id: users[1]?.user_id },
    ]);
  });
});

describe("changing a user", () => {
  test("changing a user sets the given fields, clears those that are null, and leaves the others", async () => {
    const { send, add, admits } = await scene();
    const { user_id, token } = await add(LIMITS);
    const changed = await send("PATCH", `/${user_id}`, { max_parallel: 9, models: null });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ ...LIMITS, max_parallel: 9, models: null });
    expect((await send("GET", `/${user_id}`)).body).toEqual(changed.body);
    expect(changed.text).not.toContain(token);
    expect(await admits(token)).toBe(true);
    const same = await send("PATCH", `/${user_id}`, {});
    expect(same.body).toEqual(changed.body);
  });

  test("changing a user refuses an unknown field, such as one that only the server sets", async () => {
    const { send, add } = await scene();
    const { user_id } = await add();
    for (const field of ["disabled_at", "user_id", "token", "created_at", "maxParallel", "__proto__x"]) {
      const { status, body } = await send("PATCH", `/${user_id}`, { name: "Ann", [field]: null });
      expect([field, status]).toEqual([field, 400]);
      expect(body.hint).toContain(field);
    }
    expect((await send("GET", `/${user_id}`)).body.name).toBeNull();
  });

  test("a change of a user takes effect at once, including an end of validity", async () => {
    const { send, add, admits } = await scene();
    const { user_id, token } = await add();
    expect(await admits(token)).toBe(true);
    await send("PATCH", `/${user_id}`, { expires_at: "2020-01-01T00:00:00Z" });
    expect(await admits(token)).toBe(false);
    await send("PATCH", `/${user_id}`, { expires_at: null });
    expect(await admits(token)).toBe(true);
  });
});

test("a disabled user is refused until they are enabled", async () => {
  const { server, send, add, admits } = await scene();
  const { user_id, token } = await add({ name: "Ann" });
  await admits(token);
  const disabled = await send("POST", `/${user_id}/disable`);
  expect(disabled.body).toMatchObject({ name: "Ann", disabled_at: expect.stringMatching(/Z$/) });
  const refused = await fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: token },
    body: "{}",
  });
  expect([refused.status, await refused.text()]).toEqual([401, '{"error":"Invalid API key"}']);
  expect(server.logged()).toContain("key_disabled");
  expect((await send("POST", `/${user_id}/enable`)).body.disabled_at).toBeNull();
  expect(await admits(token)).toBe(true);
});

describe("rotating a token", () => {
  test("rotating a token returns a new one and refuses the old one at once", async () => {
    const { send, add, admits } = await scene();
    const { user_id, token } = await add(LIMITS);
    const rotated = await send("POST", `/${user_id}/rotate`);
    expect(Object.keys(rotated.body)).toEqual(["token", "user_id"]);
    expect([await admits(token), await admits(rotated.body.token)]).toEqual([false, true]);
    expect((await send("GET", "")).body.users).toEqual([{ user_id, token: rotated.body.token }]);
    expect((await send("GET", `/${user_id}`)).text).not.toContain(rotated.body.token);
  });

  test("rotating a token with a grace period keeps the old one valid beside the new one", async () => {
    const { send, add, admits } = await scene();
    const { user_id, token } = await add();
    const { body } = await send("POST", `/${user_id}/rotate`, { grace_seconds: 60 });
    expect([await admits(token), await admits(body.token)]).toEqual([true, true]);
    await send("POST", `/${user_id}/rotate`, { grace_seconds: 0 });
    expect([await admits(token), await admits(body.token)]).toEqual([false, false]);
  });

  test("rotating a token refuses a misspelt or impossible grace period", async () => {
    const { send, add, admits } = await scene();
    const { user_id, token } = await add();
    for (const body of [
      { grace: 60 },
      { grace_seconds: -1 },
      { grace_seconds: "60" },
      { grace_seconds: 1e9 },
    ])
      expect((await send("POST", `/${user_id}/rotate`, body)).status).toBe(400);
    expect(await admits(token)).toBe(true);
  });
});

test("a deleted user is gone from the list, and their token is refused", async () => {
  const { send, add, admits } = await scene();
  const { user_id, token } = await add();
  expect((await send("DELETE", `/${user_id}`)).text).toBe('{"message":"User deleted"}');
  expect(await admits(token)).toBe(false);
  expect((await send("GET", "")).body).toEqual({ users: [] });
  expect((await send("DELETE", `/${user_id}`)).status).toBe(404);
});

test("an unknown user id is a 404 in JSON on every route", async () => {
  const { send } = await scene();
  for (const id of ["unknown", "a%2Fb", "%00", "__proto__"]) {
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/disable"],
      ["POST", "/enable"],
      ["POST", "/rotate"],
    ] as const) {
      const { status, body } = await send(method, `/${id}${path}`, method === "GET" ? undefined : {});
      expect([method, id, path, status, body]).toEqual([method, id, path, 404, { error: "No such user" }]);
    }
  }
});

test("a user id may have any characters", async () => {
  const { server, send } = await scene();
  const store = openTestFile(join(server.data, "server.db"));
  const id = "ä/b c?d#%";
  await store.users.add([{ id, tokenHash: "hash", sealedToken: Buffer.of() }]);
  await store.close();
  const { body } = await send("PATCH", `/${encodeURIComponent(id)}`, { name: "Odd" });
  expect(body).toMatchObject({ user_id: id, name: "Odd" });
});

test("the admin key may also be in the body or the query, and without it nothing is revealed", async () => {
  const { send, add } = await scene();
  const { user_id, token } = await add();
  const none = {} as typeof KEY;
  expect((await send("GET", `/${user_id}?admin_key=${ADMIN_KEY}`, undefined, none)).status).toBe(200);
  expect((await send("PATCH", `/${user_id}`, { admin_key: ADMIN_KEY, name: "A" }, none)).status).toBe(200);
  for (const [method, path] of [
    ["GET", ""],
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/disable"],
    ["POST", "/enable"],
    ["POST", "/rotate"],
  ] as const) {
    for (const id of [user_id, "unknown"]) {
      const body = method === "GET" ? undefined : { admin_key: "wrong", unknown: 1 };
      const refused = await send(method, `/${id}${path}`, body, none);
      expect([method, path, refused.status, refused.text]).toEqual([
        method,
        path,
        401,
        '{"error":"Invalid admin key"}',
      ]);
      expect((await send(method, `/${id}${path}`, body && {}, { authorization: token })).status).toBe(401);
    }
  }
  expect((await send("GET", `/${user_id}`)).body).toMatchObject({ name: "A", disabled_at: null });
});

test("the audit has every change of a user, with what changed and never a token", async () => {
  const { server, send, add } = await scene();
  const { user_id, token } = await add({ name: "Ann" });
  await send("PATCH", `/${user_id}`, { max_parallel: 2 });
  await send("POST", `/${user_id}/disable`);
  await send("POST", `/${user_id}/enable`);
  const rotated = await send("POST", `/${user_id}/rotate`, { grace_seconds: 5 });
  await send("DELETE", `/${user_id}`);
  const store = openTestFile(join(server.data, "server.db"));
  const rows = (await store.audit.list({ limit: 10 })).reverse();
  await store.close();
  expect(rows.map(({ action, target, detail }) => [action, target, detail])).toEqual([
    ["user.add", user_id, { name: "Ann" }],
    ["user.change", user_id, { max_parallel: 2 }],
    ["user.disable", user_id, { name: "Ann" }],
    ["user.enable", user_id, { name: "Ann" }],
    ["user.rotate", user_id, { name: "Ann", grace_seconds: 5 }],
    ["user.delete", user_id, { name: "Ann" }],
  ]);
  expect(rows.every(({ actor, address, requestId }) => actor === "admin" && address && requestId)).toBe(true);
  for (const secret of [token, rotated.body.token, ADMIN_KEY]) {
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(server.logged()).not.toContain(secret);
  }
});
