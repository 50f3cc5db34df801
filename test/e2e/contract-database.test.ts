import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { startScene } from "../support/scene.ts";

test("a failing database causes the reference's error texts without internals, and the admin key still works for asks", async () => {
  const scene = await startScene();
  await scene.firefox();
  const { user_id, token } = await scene.addUser();
  const database = new Database(join(scene.server.data, "server.db"));
  database.run("PRAGMA foreign_keys = OFF");
  for (const table of ["tokens", "users", "conversations"]) database.run(`DROP TABLE ${table}`);
  database.close();

  const post = (path: string, body: object) =>
    scene.request(path, { method: "POST", body: JSON.stringify({ admin_key: scene.adminKey, ...body }) });
  const replies = [
    await scene.ask({ content: "hi" }, { key: token }),
    await post("/admin/users/add", {}),
    await post("/admin/users/delete", { user_id }),
    await scene.request(`/admin/users?admin_key=${scene.adminKey}`),
  ];
  expect(replies.map(({ status, body }) => [status, body])).toEqual([
    [500, { error: "Failed to verify API key" }],
    [500, { error: "Failed to insert user_id and token into database" }],
    [500, { error: "Failed to delete user from database" }],
    [500, { error: expect.any(String), message: "Failed to get users from database" }],
  ]);
  for (const { text } of replies) expect(text).not.toMatch(/no such table|SQLITE|server\.db|select /i);

  const { status, body } = await scene.ask({ content: "still" });
  expect([status, body.content]).toEqual([200, "echo: still"]);
  expect((await scene.request("/health")).text).toBe("OK");
});
