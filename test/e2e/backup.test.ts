import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { databaseIn } from "../../src/data-folder.ts";
import { runExecutable } from "../support/executable.ts";
import { askModel, connectModel, startLoad } from "../support/load.ts";
import { type Scene, startScene, type User } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const USERS_BEFORE = 50;

test("a backup taken under load restores into a working server that knows every user added before it", async () => {
  const scene = await startScene();
  const folder = tempFolder();
  const file = join(folder, "server.backup");
  const run = (...args: string[]) => runExecutable(args);
  const model = await connectModel(scene);
  const owner = await scene.addUser();
  const begun = await askModel(scene, owner, { content: "remember me" });
  // Conversations are written within about a second.
  using database = new Database(databaseIn(scene.server.data), { readonly: true });
  const kept = database.query("SELECT 1 FROM conversations WHERE id = ?");
  await until(() => kept.get(String(begun.body.conversation_id)) !== null);

  const load = startLoad(scene);
  await until(() => load.acknowledged.length >= USERS_BEFORE);
  const before = [owner, ...load.acknowledged];
  const asksBefore = load.asks();
  const { code, stdout, stderr } = await run("backup", file, "--data", scene.server.data);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^Backed up \d+ users? and \d+ conversations? to /);
  expect(load.asks()).toBeGreaterThan(asksBefore);

  const refused = await run("restore", file, "--data", scene.server.data);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("is in use. Stop the server");
  await load.stop();
  model.stop();

  const data = join(folder, "data");
  const restored = await run("restore", file, "--data", data);
  expect([restored.code, restored.stderr]).toEqual([0, ""]);
  const { agentKey } = scene;
  const next = await startScene({ data, adminKey: scene.adminKey });
  expect(next.agentKey).toBe(agentKey);
  for (const { token } of before) next.server.keepSecret(token);
  const { body } = await next.request<{ users: User[] }>("/admin/users", {
    headers: { authorization: next.adminKey },
  });
  const listed = new Map(body.users.map(({ user_id, token }) => [user_id, token]));
  for (const { user_id, token } of before) expect(listed.get(user_id)).toBe(token);

  const again = await connectModel(next);
  for (const user of before.slice(0, 20))
    expect((await askModel(next, user, { content: "hello" })).body.content).toBe("1: hello");
  const { conversation_id } = begun.body;
  const continued = await askModel(next, owner, { content: "still there?", conversation_id });
  expect(continued.body.content).toBe("3: still there?");
  again.stop();
});

test("a restore into the folder of a stopped server keeps the replaced data, from which it can be undone", async () => {
  const scene = await startScene();
  const file = join(tempFolder(), "server.backup");
  const { data } = scene.server;
  const users = async (at: Scene) =>
    (await at.request<{ users: User[] }>("/admin/users", { headers: { authorization: at.adminKey } })).body
      .users;
  const early = await scene.addUser();
  expect((await runExecutable(["backup", file, "--data", data])).code).toBe(0);
  await scene.addUser();
  const kept = tempFolder();
  scene.server.kill("SIGKILL");
  await scene.server.exited;

  const { code, stdout } = await runExecutable(["restore", file, "--data", data]);
  expect(code).toBe(0);
  const aside = stdout.match(/The replaced files are in (.*)\n/)?.[1] ?? "";
  Bun.spawnSync(["cp", "-a", data, join(kept, "restored")]);
  const restored = await startScene({ data: join(kept, "restored"), adminKey: scene.adminKey });
  restored.server.keepSecret(early.token);
  expect(await users(restored)).toEqual([early]);
  const undone = await startScene({ data: aside, adminKey: scene.adminKey });
  expect(await users(undone)).toHaveLength(2);
});
