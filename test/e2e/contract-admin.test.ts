import { expect, test } from "bun:test";
import { isRestored } from "../support/executable.ts";
import { startScene, type User, useScene } from "../support/scene.ts";

const scene = useScene();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
  scene.request(path, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const listed = async (from = scene) => {
  const { body } = await from.request<{ users: User[] }>(`/admin/users?admin_key=${from.adminKey}`);
  return body.users;
};

test.skipIf(isRestored)("a server without users lists an empty array", async () => {
  const fresh = await startScene();
  const { status, text } = await fresh.request(`/admin/users?admin_key=${fresh.adminKey}`);
  expect([status, text]).toEqual([200, '{"users":[]}']);
});

test("adding a user returns a token and an id, in that order, and ignores an id in the body", async () => {
  const user_id = crypto.randomUUID();
  const { status, body } = await post("/admin/users/add", { admin_key: scene.adminKey, user_id });
  scene.server.keepSecret(String(body["token"]));
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(["token", "user_id"]);
  expect(body["token"]).toMatch(UUID);
  expect(body["user_id"]).toMatch(UUID);
  expect(body["user_id"]).not.toBe(user_id);
});

test("users are listed in the order in which they were added, each id before its token", async () => {
  const added = [await scene.addUser(), await scene.addUser(), await scene.addUser()];
  const users = (await listed()).slice(-3);
  expect(users).toEqual(added);
  for (const user of users) expect(Object.keys(user)).toEqual(["user_id", "token"]);
});

test("the admin key is accepted in the body, in the query of the list, and in the usual headers", async () => {
  const { adminKey } = scene;
  const replies = await Promise.all([
    post("/admin/users/delete", { admin_key: adminKey, user_id: "x" }),
    post("/admin/users/delete", { user_id: "x" }, { authorization: adminKey }),
    post("/admin/users/delete", { user_id: "x" }, { authorization: `Bearer ${adminKey}` }),
    post("/admin/users/delete", { user_id: "x" }, { "x-api-key": adminKey }),
    scene.request(`/admin/users?admin_key=${adminKey}`),
    scene.request("/admin/users", { headers: { authorization: adminKey } }),
    scene.request("/admin/users", { headers: { authorization: `Bearer ${adminKey}` } }),
    scene.request("/admin/users", { headers: { "x-api-key": adminKey } }),
  ]);
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
});

test("JSON with a form's content type is accepted, as `curl -d` sends it", async () => {
  const { status, body } = await post(
    "/admin/users/add",
    { admin_key: scene.adminKey },
    { "content-type": "application/x-www-form-urlencoded" },
  );
  scene.server.keepSecret(String(body["token"]));
  expect(status).toBe(200);
});

test("deleting a user ends their token at once, and an unknown user gets the same response", async () => {
  const { user_id, token } = await scene.addUser();
  await scene.firefox();
  expect((await scene.ask({ content: "before" }, { key: token })).status).toBe(200);
  for (const id of [user_id, user_id, crypto.randomUUID(), ""]) {
    const reply = await post("/admin/users/delete", { admin_key: scene.adminKey, user_id: id });
    expect([reply.status, reply.text]).toEqual([200, '{"message":"User deleted"}']);
  }
  const missing = await post("/admin/users/delete", { admin_key: scene.adminKey });
  expect([missing.status, missing.text]).toEqual([200, '{"message":"User deleted"}']);
  const after = await scene.ask({ content: "after" }, { key: token });
  expect([after.status, after.text]).toEqual([401, '{"error":"Invalid API key"}']);
  expect((await listed()).map((user) => user.user_id)).not.toContain(user_id);
});

test("a wrong, empty or missing key and a user's key learn nothing", async () => {
  const { token } = await scene.addUser();
  const before = await listed();
  for (const admin_key of [
    "wrong-key",
    "",
    undefined,
    token,
    scene.adminKey.slice(0, -1),
    `${scene.adminKey}x`,
  ]) {
    const query = admin_key === undefined ? "" : `?admin_key=${admin_key}`;
    for (const reply of [
      await post("/admin/users/add", { admin_key }),
      await post("/admin/users/delete", { admin_key, user_id: before[0]?.user_id }),
      await scene.request(`/admin/users${query}`),
      await scene.request("/admin/users", { headers: { authorization: admin_key ?? "" } }),
    ]) {
      expect([admin_key, reply.status, reply.text]).toEqual([
        admin_key,
        401,
        '{"error":"Invalid admin key"}',
      ]);
      expect(JSON.stringify([...reply.headers])).not.toContain(scene.adminKey);
    }
  }
  expect(await listed()).toEqual(before);
});

test("a body that is not a JSON object of strings is refused", async () => {
  const bodies = ["", "{", "[]", "1", '"text"', '{"admin_key":1}', '{"admin_key":{"a":1}}'];
  for (const path of ["/admin/users/add", "/admin/users/delete"]) {
    for (const body of bodies) {
      const reply = await post(path, body);
      expect([path, body, reply.status, reply.body["error"]]).toEqual([
        path,
        body,
        400,
        "Invalid request body",
      ]);
    }
  }
  const wrongId = await post("/admin/users/delete", { admin_key: scene.adminKey, user_id: 7 });
  expect([wrongId.status, wrongId.body["error"]]).toEqual([400, "Invalid request body"]);
});

test("fifty users that are added at once all exist", async () => {
  const before = (await listed()).length;
  const added = await Promise.all(Array.from({ length: 50 }, () => scene.addUser()));
  const users = await listed();
  expect(users.length).toBe(before + 50);
  expect(new Set(users.map(({ token }) => token)).size).toBe(users.length);
  expect(users).toEqual(expect.arrayContaining(added));
});

test("a user whose adding was acknowledged survives a kill", async () => {
  const first = await startScene();
  const user = await first.addUser();
  first.server.kill("SIGKILL");
  await first.server.exited;
  const second = await startScene({ data: first.server.data, adminKey: first.adminKey });
  second.server.keepSecret(user.token);
  expect((await listed(second)).at(-1)).toEqual(user);
  await second.firefox();
  expect((await second.ask({ content: "hi" }, { key: user.token })).status).toBe(200);
});
