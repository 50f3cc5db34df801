import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSeal } from "../../src/auth/seal.ts";
import { hashSecret } from "../../src/auth/secret.ts";
import { createUsers, describeUser, type UserChange, type Users } from "../../src/auth/users.ts";
import { HOUR_MS } from "../../src/durations.ts";
import { AppError } from "../../src/errors.ts";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../support/store.ts";

const seal = createSeal("a key of enough characters to be one");
const tokensOf = async (users: Users) =>
  (await users.list()).map(({ id, token }) => ({ user_id: id, token }));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("an added user has an id and a token, is listed with both, and is found by the hash of the token", async () => {
  const { users: store } = openTestStore();
  const users = createUsers({ users: store, seal });
  const [one, two] = [await users.add(), await users.add()];
  for (const { user_id, token } of [one, two]) {
    expect(user_id).toMatch(UUID);
    expect(token).toMatch(UUID);
    expect((await store.findByTokenHash(hashSecret(token)))?.id).toBe(user_id);
  }
  expect(await tokensOf(users)).toEqual([one, two]);
});

test("a token sealed with another key is listed as empty", async () => {
  const { users: store } = openTestStore();
  const { user_id } = await createUsers({ users: store, seal }).add();
  const other = createUsers({ users: store, seal: createSeal("another key of enough characters") });
  expect(await tokensOf(other)).toEqual([{ user_id, token: "" }]);
});

test("the sealed token of one user does not open in the row of another", async () => {
  const { users: store } = openTestStore();
  const { token } = await createUsers({ users: store, seal }).add();
  const [stored] = await store.list();
  await store.add([
    { id: "thief", tokenHash: hashSecret("its own"), sealedToken: stored?.sealedToken ?? Buffer.of() },
  ]);
  const listed = await createUsers({ users: store, seal }).list();
  expect(listed.map((user) => user.token)).toEqual([token, ""]);
});

describe("a change of a user", () => {
  const now = () => 10 * HOUR_MS;
  for (const [what, revoked, run] of [
    ["deleting a user", true, (users: Users, id: string) => users.delete(id)],
    ["disabling a user", true, (users: Users, id: string) => users.disable(id)],
    ["enabling a user", false, (users: Users, id: string) => users.enable(id)],
    ["rotating a token", true, (users: Users, id: string) => users.rotate(id, 0)],
    ["rotating a token with a grace period", false, (users: Users, id: string) => users.rotate(id, 1)],
    ["changing a limit", false, (users: Users, id: string) => users.change(id, { maxParallel: 1 })],
    [
      "setting an expiry in the future",
      false,
      (users: Users, id: string) => users.change(id, { expiresAt: 11 * HOUR_MS }),
    ],
    [
      "setting an expiry in the past",
      true,
      (users: Users, id: string) => users.change(id, { expiresAt: HOUR_MS }),
    ],
    ["clearing the expiry", false, (users: Users, id: string) => users.change(id, { expiresAt: null })],
  ] as const) {
    test(`${what} reports the user with ${revoked ? "a" : "no"} revoked key`, async () => {
      const { users: store } = openTestStore({ now });
      const changes: UserChange[] = [];
      const users = createUsers({ users: store, seal, now, onChange: (change) => changes.push(change) });
      const { user_id } = await users.add();
      expect(changes).toEqual([]);
      expect(await run(users, user_id)).not.toBe(false);
      expect(changes).toEqual([{ user: user_id, revoked }]);
    });
  }
});

test("an unknown user cannot be found, changed or deleted", async () => {
  const { users: store } = openTestStore();
  const users = createUsers({ users: store, seal });
  const { user_id } = await users.add();
  await users.delete(user_id);
  for (const id of [user_id, "unknown", ""]) {
    expect(await users.find(id)).toBeUndefined();
    expect(await users.delete(id)).toBe(false);
    expect(await users.disable(id)).toBe(false);
    expect(await users.change(id, { maxParallel: 1 })).toBe(false);
    expect(await users.rotate(id, 0)).toBe(false);
  }
});

test("a user is found as added and changed, with their newest token", async () => {
  let now = 1_000;
  const { users: store } = openTestStore({ now: () => now });
  const users = createUsers({ users: store, seal, now: () => now });
  const { token } = await users.add({ name: "Ann", models: ["llama"], maxParallel: 2 }, "ann");
  const ann = {
    id: "ann",
    token,
    createdAt: 1_000,
    disabledAt: null,
    name: "Ann",
    expiresAt: null,
    models: ["llama"],
    requestsPerMinute: null,
    tokensPerDay: null,
    maxParallel: 2,
    budgetDayMicros: null,
    budgetMonthMicros: null,
    priority: null,
    agentTags: null,
  };
  expect(await users.find("ann")).toEqual(ann);
  now = 2_000;
  await users.disable("ann");
  await users.change("ann", { models: null });
  const rotated = await users.rotate("ann", 500);
  expect(rotated).toMatch(UUID);
  const changed = { ...ann, disabledAt: 2_000, models: null, token: String(rotated) };
  expect(await users.find("ann")).toEqual(changed);
  expect(await users.list()).toEqual([changed]);
  expect((await store.findByTokenHash(hashSecret(token)))?.tokenExpiresAt).toBe(2_500);
  await users.enable("ann");
  expect((await users.find("ann"))?.disabledAt).toBeNull();
});

test("no file of the store holds a token as text or as plain bytes", async () => {
  const folder = tempFolder();
  const store = openTestFile(join(folder, "server.db"));
  const users = createUsers({ users: store.users, seal });
  const added = await Promise.all(Array.from({ length: 20 }, () => users.add()));
  const search = () => {
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    const holds = (bytes: Uint8Array | string) => files.some((file) => file.includes(bytes));
    for (const { user_id } of added) expect(holds(user_id)).toBe(true);
    for (const { token } of added) {
      expect(holds(token)).toBe(false);
      expect(holds(token.slice(0, 13))).toBe(false);
      expect(holds(Buffer.from(token.replaceAll("-", ""), "hex"))).toBe(false);
    }
  };
  expect(readdirSync(folder)).toContain("server.db-wal");
  search();
  await store.close();
  search();
});

test("a failure of the store has the reference's text and its cause, and no token", async () => {
  const store = openTestStore();
  const users = createUsers({ users: store.users, seal });
  await store.close();
  for (const [code, run] of [
    ["user_insert_failed", () => users.add()],
    ["user_delete_failed", () => users.delete("a")],
    ["user_change_failed", () => users.disable("a")],
    ["user_change_failed", () => users.rotate("a", 0)],
    ["user_list_failed", () => users.find("a")],
    ["user_list_failed", () => users.list()],
    ["user_list_failed", () => users.importAll([{ user_id: "a", token: "token-of-a" }])],
  ] as const) {
    const error = (await failureOf(run)) as AppError;
    expect(error).toBeInstanceOf(AppError);
    expect(error.code).toBe(code);
    expect(error.cause).toBeInstanceOf(Error);
    expect(`${error.message} ${error.detail} ${error.cause}`).not.toContain("token-of-a");
  }
});

describe("an import", () => {
  const a = { user_id: "a", token: "token a" };
  const b = { user_id: "b", token: "token b" };

  test("an import keeps ids, tokens and their order, and counts the users that already exist", async () => {
    const { users: store } = openTestStore();
    const users = createUsers({ users: store, seal });
    expect(await users.importAll([b])).toEqual({ imported: 1, already: 0, conflicts: [] });
    expect(await users.importAll([a, b])).toEqual({ imported: 1, already: 1, conflicts: [] });
    expect(await users.importAll([a, b])).toEqual({ imported: 0, already: 2, conflicts: [] });
    expect(await users.importAll([])).toEqual({ imported: 0, already: 0, conflicts: [] });
    expect(await tokensOf(users)).toEqual([b, a]);
    expect((await store.findByTokenHash(hashSecret("token a")))?.id).toBe("a");
  });

  for (const [what, row, reason] of [
    [
      "an id that exists here with another token",
      { user_id: "a", token: "new" },
      "already exists here with another token",
    ],
    ["a token of another user here", { user_id: "new", token: "token a" }, "belongs to another user here"],
    ["no token", { user_id: "new", token: "" }, "has no token"],
    ["no id", { user_id: "", token: "new" }, "has no id"],
    ["an id listed twice", { user_id: "b", token: "new" }, "is listed twice"],
    ["a token listed twice", { user_id: "new", token: "token b" }, "same token as another imported user"],
  ] as const) {
    test(`an import with ${what} imports nobody, and names the user`, async () => {
      const { users: store } = openTestStore();
      const users = createUsers({ users: store, seal });
      await users.importAll([a]);
      const result = await users.importAll([b, row]);
      expect(result).toEqual({
        imported: 0,
        already: 0,
        conflicts: [{ user_id: row.user_id, reason: expect.stringContaining(reason) }],
      });
      expect(await tokensOf(users)).toEqual([a]);
    });
  }
});

test("a user is described without the token", () => {
  const attributes = {
    ...{ name: "Ann", expiresAt: 2_000, models: ["llama"] },
    ...{ requestsPerMinute: 1, tokensPerDay: 2, maxParallel: 3 },
    ...{ budgetDayMicros: 1_500_000, budgetMonthMicros: null },
    ...{ priority: "low" as const, agentTags: ["home"] },
  };
  const user = { id: "ann", token: "secret", createdAt: 0, disabledAt: 1_000, ...attributes };
  expect(describeUser(user)).toEqual({
    user_id: "ann",
    created_at: "1970-01-01T00:00:00.000Z",
    disabled_at: "1970-01-01T00:00:01.000Z",
    ...{ name: "Ann", expires_at: "1970-01-01T00:00:02.000Z", models: ["llama"] },
    ...{ requests_per_minute: 1, tokens_per_day: 2, max_parallel: 3 },
    ...{ budget_day: 1.5, budget_month: null },
    ...{ priority: "low", agent_tags: ["home"] },
  });
});
