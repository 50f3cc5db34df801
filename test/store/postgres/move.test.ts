import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import type { CommandError } from "../../../src/errors.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { moveTo } from "../../../src/store/postgres/move.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { describeWithPostgres, newDatabase, statementsOn } from "../../support/postgres.ts";
import { failureOf, openTestFile, tempFolder } from "../../support/store.ts";
import { usageRow } from "../../support/usage-row.ts";
import { newUser } from "../rows.ts";

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100 };
const LONG = "x".repeat(1024 ** 2);

/** Fills a store in a file with rows of every kind. */
async function filled(): Promise<{ path: string; store: Store }> {
  const path = join(tempFolder(), "server.db");
  const store = openTestFile(path, { now: () => 7_000 });
  const { users, agentKeys, audit, usage, refusals, conversations, settings } = store;
  await users.add([
    { ...newUser("gone"), name: "Gone" },
    newUser("bob"),
    { ...newUser("ann"), models: ["m", "n"], priority: "low", maxParallel: 3 },
  ]);
  await users.delete("gone");
  await users.rotate("ann", { tokenHash: "new hash", sealedToken: Buffer.of(1, 0, 2) }, 9_000);
  const key = {
    models: ["m"],
    keyHash: "key hash",
    weight: 2.5,
    tags: ["gpu"],
    ownerId: "ann",
    showsName: true,
  };
  await agentKeys.add({ ...key, id: "k", name: "box" });
  await agentKeys.add({ id: "l", name: "other", models: null, keyHash: "other hash" });
  await agentKeys.revoke("l");
  const note = { actor: "cli", action: "a", target: null, address: null, requestId: null } as const;
  for (const at of [3, 1, 2]) await audit.add({ ...note, at, detail: at === 1 ? null : { at, name: "é\0" } });
  for (let at = 0; at < 1_200; at++)
    usage.record(usageRow({ at, cachedTokens: at % 3, principal: at % 2 ? ADMIN : userPrincipal("ann") }));
  const conversation = { owner: userPrincipal("ann"), agent: "x", model: "m" };
  conversations.remember({ ...conversation, id: "v1", kept: false, owner: ADMIN });
  for (let nth = 0; nth < 12; nth++)
    conversations.remember(
      { ...conversation, id: "c", kept: true },
      { id: `t${nth}`, parent: nth > 0 ? `t${nth - 1}` : undefined, question: `q\0${nth}`, answer: LONG },
    );
  await settings.change([{ name: "modelAliases", value: '{"z":"m","a":"n"}' }], []);
  refusals.record(ADMIN, "draining", 9);
  usage.record(usageRow({ at: 1_201, agentName: "é box" }));
  await conversations.purge(0);
  await usage.purge(0);
  await refusals.purge(0);
  return { path, store };
}

async function contentOf({ users, agentKeys, audit, usage, refusals, conversations, settings }: Store) {
  const tokens = ["hash of ann", "new hash", "hash of bob", "hash of gone"].map(users.findByTokenHash);
  return {
    users: await users.list(),
    tokens: await Promise.all(tokens),
    keys: await agentKeys.list(),
    audit: (await audit.list({ limit: 9 })).map(({ detail, ...entry }) => ({ ...entry, at: detail?.["at"] })),
    usage: await usage.sum({ ...EVER, by: ["user", "day"] }),
    names: await usage.names("agent", ["x"]),
    refusals: await refusals.sum({ ...EVER, by: ["user"] }),
    conversations: [await conversations.find("c"), await conversations.find("v1")],
    settings: await settings.list(),
    turns: await conversations.branch("c", undefined),
  };
}

describeWithPostgres("moving a data folder to PostgreSQL", () => {
  test("every row is the same after the move, and new rows go on where the old ones end", async () => {
    const { path, store } = await filled();
    const url = await newDatabase();
    expect(await moveTo(url, path)).toEqual({
      ...{ users: 2, tokens: 3, agent_keys: 2, conversations: 2, turns: 12 },
      ...{ response_objects: 0, response_items: 0, audit: 3, usage: 1_201, traffic: 0 },
      ...{ refusals: 1, usage_names: 2, settings: 1 },
    });
    const { store: moved } = await openPostgres({ url });
    onTestFinished(() => moved.close());
    expect(await contentOf(moved)).toEqual(await contentOf(store));
    await moved.users.add([newUser("new")]);
    expect((await moved.users.list()).map(({ id }) => id)).toEqual(["bob", "ann", "new"]);
    const [entry] = await moved.audit.list({ limit: 1 });
    await moved.audit.add({ ...(entry as NonNullable<typeof entry>), action: "next" });
    expect((await moved.audit.list({ limit: 1 }))[0]).toMatchObject({ seq: 4, action: "next" });
  });

  test("a database with rows is refused, and one to which not all can be moved stays empty", async () => {
    const { path, store } = await filled();
    const url = await newDatabase();
    const query = statementsOn(url);
    const { store: there } = await openPostgres({ url });
    await there.close();
    await query("ALTER TABLE usage ADD CONSTRAINT never CHECK (at < 1200)");
    expect(String(await failureOf(() => moveTo(url, path)))).toContain("Cannot use the database");
    expect(await query("SELECT FROM users")).toEqual([]);
    await query("ALTER TABLE usage DROP CONSTRAINT never");
    await moveTo(url, path);
    expect(String(await failureOf(() => moveTo(url, path)))).toContain("already has rows in the table users");
    expect(await store.users.list()).toHaveLength(2);
  });

  test("a value that SQLite keeps in a column of another type is moved as a text, null or 0", async () => {
    const { path } = await filled();
    const database = new Database(path);
    database.run(
      "UPDATE usage SET prompt_tokens = 'many', completion_tokens = 1.5, duration_ms = x'00', model = 7",
    );
    database.close();
    const url = await newDatabase();
    await moveTo(url, path);
    const found = await statementsOn(url)(
      "SELECT DISTINCT prompt_tokens, completion_tokens, duration_ms, model FROM usage",
    );
    expect(found).toEqual([{ prompt_tokens: null, completion_tokens: null, duration_ms: "0", model: "7" }]);
  });

  test("a list of models that cannot be read ends the move, and the message names its table and column", async () => {
    const { path } = await filled();
    const database = new Database(path);
    database.run("UPDATE users SET models = '[\"m' WHERE id = 'ann'");
    database.close();
    const url = await newDatabase();
    const { message } = (await failureOf(() => moveTo(url, path))) as CommandError;
    expect(message).toContain("The table users of the data folder has a value in models that is not JSON.");
    expect(await statementsOn(url)("SELECT FROM users")).toEqual([]);
  });
});
