import { expect, test } from "bun:test";
import { join } from "node:path";
import { hashSecret } from "../../src/auth/secret.ts";
import { answering } from "../support/chat-agent.ts";
import { startModelScene } from "../support/model-scene.ts";
import { ADMIN_KEY } from "../support/server.ts";
import { openTestFile } from "../support/store.ts";
import { callerOf } from "../support/user-caller.ts";

test.each(["admin", ""])("a user with the id %p is not mistaken for the admin", async (user_id) => {
  const { server, post } = await startModelScene(answering());
  const store = openTestFile(join(server.data, "server.db"));
  const token = "the user's token";
  await store.users.add([{ id: user_id, tokenHash: hashSecret(token), sealedToken: new Uint8Array() }]);
  const caller = callerOf(server.url, { user_id, token });
  const asAdmin = { headers: { authorization: ADMIN_KEY } };
  const read = async (path: string) => (await fetch(`${server.url}${path}`, asAdmin)).json();

  expect(await (await caller.get("/api/session")).json()).toMatchObject({ role: "user", user: { user_id } });
  expect((await caller.get("/admin/users")).status).toBe(401);

  const { conversation_id } = (await (await caller.ask()).json()) as { conversation_id: string };
  const begun = await fetch(`${server.url}/api/ask`, {
    ...{ method: "POST", ...asAdmin, body: JSON.stringify({ content: "hi" }) },
  });
  const ofAdmin = (await begun.json()) as { conversation_id: string };
  expect((await caller.ask({ conversation_id })).status).toBe(200);
  expect((await caller.ask(ofAdmin)).status).toBe(404);
  await post("chat/completions", { model: "m", messages: [] });

  const { asks } = (await read("/admin/overview")) as { asks: { user: { user_id: string } | null }[] };
  expect(asks.map(({ user }) => user?.user_id ?? null)).toEqual([null, user_id, null, user_id]);
  const { usage } = (await read("/admin/usage?by=user")) as {
    usage: { user: string | null; asks: number }[];
  };
  expect(new Map(usage.map(({ user, asks }) => [user, asks]))).toEqual(
    new Map<string | null, number>([
      [null, 2],
      [user_id, 2],
    ]),
  );
  const lines = server
    .logged()
    .split("\n")
    .filter((line) => line.includes('"event":"ask"'));
  const named = lines.map((line) => (JSON.parse(line) as { user: string }).user);
  expect(named).toEqual([`user:${user_id}`, "admin", `user:${user_id}`, "admin"]);
  await store.users.delete(user_id);
  expect(await read("/admin/usage?by=&user=admin")).toMatchObject({ usage: [{ asks: 2 }] });
});
