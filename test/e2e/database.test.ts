import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  ADMIN_KEY,
  addUser,
  call,
  DEGRADED,
  PASSWORD,
  READY,
  readiness,
  startOnDatabase,
  withPassword,
} from "../support/database-server.ts";
import { runExecutable, startExecutable } from "../support/executable.ts";
import { describeWithPostgres, newDatabase } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

describeWithPostgres("servers with one PostgreSQL database", () => {
  test("two servers share users, conversations and usage, and keep nothing in a data folder", async () => {
    const database = withPassword(await newDatabase());
    const [here, there] = [await startOnDatabase(database), await startOnDatabase(database)];
    const { user_id, token } = await addUser(here);
    const opening = await call(there, "/api/ask", token, { content: "one" });
    expect(opening).toMatchObject({ status: 200, body: { content: "one" } });
    let { response_id, conversation_id } = opening.body;
    for (const server of [here, there, here]) {
      const next = await call(server, "/api/ask", token, {
        content: "more",
        conversation_id,
        parent_id: response_id,
      });
      expect(next).toMatchObject({ status: 200, body: { conversation_id } });
      response_id = next.body["response_id"];
    }
    const usage = await call(there, "/admin/usage?by=user", ADMIN_KEY);
    expect(JSON.stringify(usage.body)).toContain(user_id);
    for (const { data } of [here, there]) expect(existsSync(data)).toBe(false);
  });

  test("a user who is disabled or deleted at one server is refused by the other within a second", async () => {
    const database = withPassword(await newDatabase());
    const [here, there] = [await startOnDatabase(database), await startOnDatabase(database)];
    const { user_id, token } = await addUser(here);
    const ask = async () => (await call(there, "/api/ask", token, { content: "q" })).status;
    expect(await ask()).toBe(200);
    const env = { CHATGPT_API_DATABASE: database };
    expect(await runExecutable(["users", "disable", user_id], { env })).toMatchObject({
      code: 0,
      stderr: "",
    });
    await until(async () => (await ask()) === 401);
    await call(here, `/admin/users/${user_id}/enable`, ADMIN_KEY, undefined, "POST");
    await until(async () => (await ask()) === 200);
    const listed = await runExecutable(["users", "list", "--json"], { env });
    expect(JSON.parse(listed.stdout)).toMatchObject({ users: [{ user_id }] });
    await call(here, `/admin/users/${user_id}`, ADMIN_KEY, undefined, "DELETE");
    await until(async () => (await ask()) === 401);
  });

  test("while the database is away known users are served, and afterwards nothing is missing", async () => {
    const direct = await newDatabase();
    const proxy = await startTcpProxy(Number(new URL(direct).port));
    const server = await startOnDatabase(withPassword(direct, proxy.port));
    const known = await addUser(server);
    const ask = async ({ token }: { token: string }) =>
      (await call(server, "/api/ask", token, { content: "q" })).status;
    expect(await ask(known)).toBe(200);
    expect(await readiness(server)).toBe(READY);
    for (const fault of [proxy.goAway, proxy.hang]) {
      const unknown = await addUser(server);
      fault();
      await until(async () => (await ask(unknown)) === 503);
      for (let count = 0; count < 3; count++) expect(await ask(known)).toBe(200);
      await until(async () => (await readiness(server)) === DEGRADED);
      proxy.comeBack();
      await until(async () => (await ask(unknown)) === 200);
      await until(async () => (await readiness(server)) === READY);
    }
    const asks = async () => {
      const { body } = await call(server, `/admin/users/${known.user_id}/usage?by=user`, ADMIN_KEY);
      return Number(/"asks":(\d+)/.exec(JSON.stringify(body))?.[1]);
    };
    await until(async () => (await asks()) === 7);
  });

  test("a database that cannot be used is refused in one line, without its password", async () => {
    const database = `postgres://someone:${PASSWORD}@127.0.0.1:1/nowhere`;
    const { code, stderr } = await runExecutable(["0", ADMIN_KEY], {
      env: { CHATGPT_API_DATABASE: database },
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^chatgpt-api-server: Cannot use the database nowhere at 127\.0\.0\.1:1: [^\n]*\n$/,
      ),
    ]);
    expect(stderr).not.toContain(PASSWORD);
  });

  test("backup and restore refer to the tools of PostgreSQL", async () => {
    const env = { CHATGPT_API_DATABASE: "postgres://db/chat" };
    for (const [command, tool] of [
      ["backup", "pg_dump"],
      ["restore", "psql or pg_restore"],
    ] as const) {
      const { code, stderr } = await runExecutable([command, "file"], { env });
      expect([code, stderr]).toEqual([2, expect.stringContaining(tool)]);
    }
  });

  test("a data folder that was moved is served as before, and one in use is not moved", async () => {
    const before = await startExecutable({ args: ["0", ADMIN_KEY, "--echo"] });
    const { token } = await addUser(before);
    const opening = await call(before, "/api/ask", token, { content: "one" });
    const env = { CHATGPT_API_DATABASE: withPassword(await newDatabase()) };
    const inUse = await runExecutable(["move", "--data", before.data], { env });
    expect([inUse.code, inUse.stderr]).toEqual([1, expect.stringContaining("is in use by another server")]);
    before.kill();
    await before.exited;
    const adminKeyFile = join(before.data, "admin.key");
    await Bun.write(adminKeyFile, ADMIN_KEY);
    const moved = await runExecutable(["move", "--data", before.data], { env });
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(moved.stdout).toContain("Moved 1 user, 0 agent keys, 1 conversation and 1 usage row.");
    expect(moved.stdout).toContain(`set ADMIN_KEY_FILE=${adminKeyFile}`);
    const again = await runExecutable(["move", "--data", before.data, "--to", env.CHATGPT_API_DATABASE]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("already has rows")]);

    const after = await startExecutable({ args: ["0", ADMIN_KEY, "--echo"], env, data: before.data });
    const { conversation_id, response_id } = opening.body;
    const next = await call(after, "/api/ask", token, {
      content: "two",
      conversation_id,
      parent_id: response_id,
    });
    expect(next).toMatchObject({ status: 200, body: { conversation_id } });
    expect(JSON.stringify((await call(after, "/admin/users", ADMIN_KEY)).body)).toContain(token);
  });
});
