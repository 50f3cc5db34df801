import { expect, test } from "bun:test";
import { LIVE_CLOSE } from "../../src/http/live/schema.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { CLUSTER_ADVICE, isNatsThere, startNodes } from "../support/cluster-nodes.ts";
import {
  ADMIN_KEY,
  addUser,
  call,
  keepSecrets,
  startOnDatabase,
  TEST_ARGS,
  withPassword,
} from "../support/database-server.ts";
import { type Executable, runExecutable, startExecutable } from "../support/executable.ts";
import { CLUSTER_KEY } from "../support/keys.ts";
import { describeWithPostgres, newDatabase } from "../support/postgres.ts";
import { cookieFor, SAME_ORIGIN } from "../support/session.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

/** The ways to tell the other node of a change: a frame, or nothing. */
const WAYS = isNatsThere ? (["over NATS", "without NATS"] as const) : (["without NATS"] as const);
if (!isNatsThere) test.skip(`changes over NATS ${CLUSTER_ADVICE}`, () => {});

/** Two nodes on one new database. */
async function scene(way: (typeof WAYS)[number]) {
  const database = withPassword(await newDatabase());
  const [here, there] =
    way === "over NATS"
      ? await startNodes(["here", "there"], TEST_ARGS, { CHATGPT_API_DATABASE: database })
      : [await startOnDatabase(database), await startOnDatabase(database)];
  if (!here || !there) throw new Error("two nodes are needed");
  for (const server of [here, there]) keepSecrets(server, database);
  const { body } = await call(here, "/admin/agents/keys", ADMIN_KEY, { name: "box" });
  const [key = "", keyId = ""] = [body["key"], body["id"]];
  const command = (...args: string[]) => runExecutable(args, { env: { CHATGPT_API_DATABASE: database } });
  return { here, there, key, keyId, command };
}

type Scene = Awaited<ReturnType<typeof scene>>;

const admin = (server: Executable, method: string, path: string) =>
  call(server, path, ADMIN_KEY, undefined, method);

/** Opens a live view, and resolves with how it is closed. */
async function look(server: Executable, cookie: string) {
  const headers = { cookie, ...SAME_ORIGIN };
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/admin/live`, { headers });
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.onclose = ({ code, reason }) => closed.resolve({ code, reason });
  await new Promise((resolve) => {
    socket.onmessage = resolve;
  });
  return { closed: closed.promise };
}

describeWithPostgres("a change at one node takes effect at another one", () => {
  const CHANGES: [string, (scene: Scene, user: string) => Promise<unknown>][] = [
    ["disabled", ({ here }, user) => admin(here, "POST", `/admin/users/${user}/disable`)],
    ["deleted", ({ here }, user) => admin(here, "DELETE", `/admin/users/${user}`)],
    ["given a new token", ({ here }, user) => admin(here, "POST", `/admin/users/${user}/rotate`)],
    ["disabled by a command", ({ command }, user) => command("users", "disable", user)],
  ];
  for (const way of WAYS)
    test.each(CHANGES)(
      `the running request of a user ends, and no other begins, when the user is %s (${way})`,
      async (_, change) => {
        const nodes = await scene(way);
        const { here, there, key } = nodes;
        const agent = await connectV2Agent(there.url, { key });
        const { token, user_id } = await addUser(here);
        const ask = () => call(there, "/v1/chat/completions", token, { model: "m", messages: [] });
        const running = ask();
        await agent.next("ask");
        await change(nodes, user_id);
        expect((await running).status).toBe(401);
        await agent.next("cancel");
        await until(async () => (await call(there, "/v1/models", token)).status === 401);
        expect((await ask()).status).toBe(401);
        agent.stop();
      },
    );

  test.each(WAYS)("the sockets of an agent key that is revoked close (%s)", async (way) => {
    const { here, there, key, keyId, command } = await scene(way);
    const agent = await connectV2Agent(there.url, { key });
    await admin(here, "DELETE", `/admin/agents/keys/${keyId}`);
    expect(await agent.ended).toEqual(CLOSE.key_revoked);
    const other = await call(here, "/admin/agents/keys", ADMIN_KEY, { name: "other" });
    const second = await connectV2Agent(there.url, { key: other.body["key"] ?? "" });
    expect((await command("agents", "revoke", "other")).code).toBe(0);
    expect(await second.ended).toEqual(CLOSE.key_revoked);
  });

  test.each(WAYS)("a session counts at both nodes until it ends at one of them (%s)", async (way) => {
    const { here, there } = await scene(way);
    const cookie = await cookieFor(here.url, ADMIN_KEY);
    const headers = { cookie, ...SAME_ORIGIN };
    const read = (server: Executable) => fetch(`${server.url}/api/session`, { headers });
    for (const server of [here, there]) expect((await read(server)).status).toBe(200);
    const view = await look(there, cookie);
    expect((await fetch(`${here.url}/api/session`, { method: "DELETE", headers })).status).toBe(200);
    expect(await view.closed).toEqual(LIVE_CLOSE.session_ended);
    await until(async () => (await read(there)).status === 401);
    expect((await read(here)).status).toBe(401);
  });

  test("the first node prints a link whose code signs in at another node, once", async () => {
    const database = withPassword(await newDatabase());
    const env = { CHATGPT_API_DATABASE: database, CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY };
    const start = () =>
      startExecutable({ args: ["0", ADMIN_KEY], env, data: `${tempFolder()}/none`, onTerminal: true });
    const first = await start();
    const [, code = ""] = await first.output(/#code=([\w-]+)/);
    const second = await start();
    const signIn = async ({ url }: Executable) => {
      const init = { method: "POST", headers: SAME_ORIGIN, body: JSON.stringify({ code }) };
      return (await fetch(`${url}/api/session`, init)).status;
    };
    expect([await signIn(second), await signIn(first)]).toEqual([200, 401]);
    expect(second.stderr()).not.toContain("#code=");
    expect(first.stderr()).toMatch(/Database +\S+ at 127\.0\.0\.1:\d+ \(PostgreSQL\)/);
  });
});
