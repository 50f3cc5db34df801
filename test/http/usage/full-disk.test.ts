import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";

test("on a full disk the usage has what was written before, with a warning, and is whole when there is room", async () => {
  const { server } = await startModelScene(answering({ prompt_tokens: 7, completion_tokens: 3 }));
  const get = async (path: string, key = ADMIN_KEY) => {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${key}` } });
    expect(response.status).toBe(200);
    return response;
  };
  const asksIn = async (path: string, key?: string) => {
    const body = (await (await get(path, key)).json()) as { usage: { asks: number }[]; warning?: string };
    return [body.usage[0]?.asks, body.warning];
  };
  const user = await addLimitedUser(server.url);
  const chat = async () => (await callerOf(server.url, user).chat()).text();
  await chat();
  await until(async () => (await asksIn("/admin/usage?by="))[0] === 1);
  const database = new Database(join(server.data, "server.db"));
  database.run(
    "CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
  );
  await chat();
  await chat();
  const warning = "2 requests are missing: they could not be written. Check the disk.";
  expect(await asksIn("/admin/usage?by=")).toEqual([1, warning]);
  expect(await asksIn("/api/usage?by=", user.token)).toEqual([1, warning]);
  const csv = await get("/admin/usage?format=csv");
  expect(csv.headers.get("x-warning")).toBe(warning);
  expect(server.logged()).not.toContain('"error":"internal"');
  database.run("DROP TRIGGER full");
  database.close();
  expect(await asksIn("/admin/usage?by=")).toEqual([3, undefined]);
});
