import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSeal } from "../../src/auth/seal.ts";
import { hashToken } from "../../src/auth/tokens.ts";
import { createUsers } from "../../src/auth/users.ts";
import { AppError } from "../../src/errors.ts";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../support/store.ts";

const seal = createSeal("a key of enough characters to be one");
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("an added user has an id and a token, is listed with both, and is found by the token's hash", async () => {
  const { users: store } = openTestStore();
  const users = createUsers({ users: store, seal });
  const [one, two] = [await users.add(), await users.add()];
  for (const { user_id, token } of [one, two]) {
    expect(user_id).toMatch(UUID);
    expect(token).toMatch(UUID);
    expect(await store.findByTokenHash(hashToken(token))).toBe(user_id);
  }
  expect(await users.list()).toEqual([one, two]);
});

test("a token sealed with another key is listed as empty", async () => {
  const { users: store } = openTestStore();
  const { user_id } = await createUsers({ users: store, seal }).add();
  const other = createUsers({ users: store, seal: createSeal("another key of enough characters") });
  expect(await other.list()).toEqual([{ user_id, token: "" }]);
});

test("the sealed token of another user, put in its row, does not open", async () => {
  const { users: store } = openTestStore();
  const { token } = await createUsers({ users: store, seal }).add();
  const [stored] = await store.list();
  await store.add([
    { id: "thief", tokenHash: hashToken("its own"), sealedToken: stored?.sealedToken ?? Buffer.of() },
  ]);
  const listed = await createUsers({ users: store, seal }).list();
  expect(listed.map((user) => user.token)).toEqual([token, ""]);
});

test("deleting tells who keeps a cache, and an unknown id is no error", async () => {
  const { users: store } = openTestStore();
  let told = 0;
  const users = createUsers({ users: store, seal, onChange: () => told++ });
  const { user_id } = await users.add();
  await users.delete(user_id);
  expect(told).toBe(1);
  expect(await users.list()).toEqual([]);
  await users.delete("unknown");
  await users.delete(user_id);
});

test("no file of the store holds a token in clear, or as plain bytes", async () => {
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

test("a failure of the store has the reference's text, its cause, and no token", async () => {
  const store = openTestStore();
  const users = createUsers({ users: store.users, seal });
  await store.close();
  for (const [code, run] of [
    ["user_insert_failed", () => users.add()],
    ["user_delete_failed", () => users.delete("a")],
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

  test("takes over ids and tokens in their order, and counts those that are here already", async () => {
    const { users: store } = openTestStore();
    const users = createUsers({ users: store, seal });
    expect(await users.importAll([b])).toEqual({ imported: 1, already: 0, conflicts: [] });
    expect(await users.importAll([a, b])).toEqual({ imported: 1, already: 1, conflicts: [] });
    expect(await users.importAll([a, b])).toEqual({ imported: 0, already: 2, conflicts: [] });
    expect(await users.importAll([])).toEqual({ imported: 0, already: 0, conflicts: [] });
    expect(await users.list()).toEqual([b, a]);
    expect(await store.findByTokenHash(hashToken("token a"))).toBe("a");
  });

  for (const [what, row, reason] of [
    [
      "an id that is here with another token",
      { user_id: "a", token: "new" },
      "is here already with another token",
    ],
    ["a token of another user here", { user_id: "new", token: "token a" }, "belongs to another user here"],
    ["no token", { user_id: "new", token: "" }, "has no token"],
    ["no id", { user_id: "", token: "new" }, "has no id"],
    ["an id that comes twice", { user_id: "b", token: "new" }, "is there twice"],
    ["a token that comes twice", { user_id: "new", token: "token b" }, "that another one of them has"],
  ] as const) {
    test(`takes nothing when there is ${what}, and names the user`, async () => {
      const { users: store } = openTestStore();
      const users = createUsers({ users: store, seal });
      await users.importAll([a]);
      const result = await users.importAll([b, row]);
      expect(result).toEqual({
        imported: 0,
        already: 0,
        conflicts: [{ user_id: row.user_id, reason: expect.stringContaining(reason) }],
      });
      expect(await users.list()).toEqual([a]);
    });
  }
});
