import { expect, test } from "bun:test";
import { join } from "node:path";
import { CLUSTER_ADVICE, isNatsThere, startNodes } from "../support/cluster-nodes.ts";
import {
  ADMIN_KEY,
  addUser,
  call,
  startOnDatabase,
  TEST_ARGS,
  withPassword,
} from "../support/database-server.ts";
import { type Executable, runExecutable, startExecutable } from "../support/executable.ts";
import { describeWithPostgres, newDatabase } from "../support/postgres.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const change = (server: Executable, given: object) =>
  call(server, "/admin/settings", ADMIN_KEY, given, "PATCH");

/** Sends a chat completion for the model. The echo agent offers `echo`. */
const chat = (server: Executable, model: string, key = ADMIN_KEY) =>
  call(server, "/v1/chat/completions", key, { model, messages: [{ role: "user", content: "hi" }] });

const statusOf = async (server: Executable, model: string) => (await chat(server, model)).status;

test("an alias works from the next request on, over a restart, in a backup, and until it is taken back", async () => {
  const data = join(tempFolder(), "data");
  const start = (folder = data) => startExecutable({ args: ["0", ADMIN_KEY, "--echo"], data: folder });
  const first = await start();
  await until(async () => (await statusOf(first, "echo")) === 200);
  expect(await statusOf(first, "fast")).toBe(404);
  expect((await change(first, { modelAliases: { fast: "echo" }, queueMax: 5 })).status).toBe(200);
  const answer = await chat(first, "fast");
  expect([answer.status, answer.headers.get("x-model")]).toEqual([200, "echo"]);
  const backup = join(tempFolder(), "taken.tar");
  expect((await runExecutable(["backup", backup, "--data", data])).code).toBe(0);
  await first.stop();

  const second = await start();
  await until(async () => (await statusOf(second, "fast")) === 200);
  expect((await change(second, { modelAliases: null })).status).toBe(200);
  expect([await statusOf(second, "fast"), await statusOf(second, "echo")]).toEqual([404, 200]);
  await second.stop();

  const restored = join(tempFolder(), "restored");
  expect((await runExecutable(["restore", backup, "--data", restored])).code).toBe(0);
  const third = await start(restored);
  await until(async () => (await statusOf(third, "fast")) === 200);
});

const WAYS = isNatsThere ? (["over NATS", "without NATS"] as const) : (["without NATS"] as const);
if (!isNatsThere) test.skip(`settings over NATS ${CLUSTER_ADVICE}`, () => {});

describeWithPostgres("settings of several servers on one database", () => {
  test.each(WAYS)("a change at one node is in force at the other one (%s)", async (way) => {
    const database = withPassword(await newDatabase());
    const [here, there] =
      way === "over NATS"
        ? await startNodes(["here", "there"], TEST_ARGS, { CHATGPT_API_DATABASE: database })
        : [await startOnDatabase(database), await startOnDatabase(database)];
    if (!here || !there) throw new Error("two nodes are needed");
    await until(async () => (await statusOf(there, "echo")) === 200);
    const { token } = await addUser(here);
    expect((await change(here, { modelAliases: { fast: "echo" } })).status).toBe(200);
    await until(async () => (await chat(there, "fast", token)).status === 200);
    const read = (server: Executable) => call(server, "/admin/settings", ADMIN_KEY);
    const [one, other] = [await read(here), await read(there)];
    expect(one.headers.get("etag")).toBe(other.headers.get("etag"));
    expect(other.body["settings"]).toMatchObject({
      modelAliases: { current: { fast: "echo" }, from: "database" },
    });
    expect((await change(there, { modelAliases: null })).status).toBe(200);
    await until(async () => (await chat(here, "fast", token)).status === 404);
  });

  test("settings are moved with the data folder", async () => {
    const data = join(tempFolder(), "data");
    const first = await startExecutable({ args: ["0", ADMIN_KEY, "--echo"], data });
    expect((await change(first, { modelAliases: { fast: "echo" } })).status).toBe(200);
    await first.stop();
    const database = withPassword(await newDatabase());
    const moved = await runExecutable(["move", "--data", data, "--database", database]);
    expect([moved.code, moved.stderr]).toEqual([0, ""]);
    const second = await startOnDatabase(database);
    await until(async () => (await statusOf(second, "fast")) === 200);
  });
});
