import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import type { Store } from "../../../src/store/store.ts";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../../support/store.ts";
import { newUser } from "./rows.ts";

const ids = async ({ users }: Store) => (await users.list()).map(({ id }) => id);

describe("users", () => {
  test("are listed in the order they were added, with what was sealed", async () => {
    const { users } = openTestStore();
    await users.add([newUser("b")]);
    await users.add([newUser("c"), newUser("a")]);
    const listed = (await users.list()).map(({ id, sealedToken }) => [
      id,
      Buffer.from(sealedToken).toString(),
    ]);
    expect(listed).toEqual([
      ["b", "sealed for b"],
      ["c", "sealed for c"],
      ["a", "sealed for a"],
    ]);
  });

  test("keep their order when one is deleted and added again", async () => {
    const store = openTestStore();
    await store.users.add([newUser("a"), newUser("b")]);
    await store.users.delete("b");
    await store.users.add([newUser("c"), newUser("b")]);
    expect(await ids(store)).toEqual(["a", "c", "b"]);
  });

  test("are all listed, in order, when there are more than fit one page", async () => {
    const store = openTestStore();
    const many = Array.from({ length: 4_001 }, (_, index) => `user ${index}`);
    await store.users.add(many.map((id) => newUser(id)));
    expect(await ids(store)).toEqual(many);
  });

  test("listing many leaves the event loop free in between", async () => {
    const { users } = openTestStore();
    await users.add(Array.from({ length: 10_000 }, (_, index) => newUser(`user ${index}`)));
    let turns = 0;
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await users.list();
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  test("are found by the hash of their token and by no other", async () => {
    const { users } = openTestStore();
    await users.add([newUser("a", "hash a"), newUser("b", "hash b")]);
    expect((await users.findByTokenHash("hash b"))?.id).toBe("b");
    expect(await users.findByTokenHash("HASH B")).toBeUndefined();
    expect(await users.findByTokenHash("")).toBeUndefined();
  });

  for (const [what, taken] of [
    ["id", newUser("a", "another hash")],
    ["token", newUser("another", "hash a")],
  ] as const) {
    test(`are added all or none when one has a taken ${what}`, async () => {
      const store = openTestStore();
      await store.users.add([newUser("a", "hash a")]);
      expect(await failureOf(() => store.users.add([newUser("new"), taken]))).toBeInstanceOf(Error);
      expect(await ids(store)).toEqual(["a"]);
      expect(await store.users.findByTokenHash("hash of new")).toBeUndefined();
    });
  }

  test("are deleted with their token and conversations, written or not, and nobody else's", async () => {
    const { users, conversations } = openTestStore();
    await users.add([newUser("a", "hash a"), newUser("b", "hash b")]);
    conversations.remember({
      id: "written",
      owner: userPrincipal("a"),
      agent: "x",
      kept: false,
      model: undefined,
    });
    conversations.remember({
      id: "of b",
      owner: userPrincipal("b"),
      agent: "x",
      kept: false,
      model: undefined,
    });
    conversations.remember({ id: "of the admin", owner: ADMIN, agent: "x", kept: false, model: undefined });
    await conversations.purge(0);
    conversations.remember({
      id: "pending",
      owner: userPrincipal("a"),
      agent: "x",
      kept: false,
      model: undefined,
    });
    expect(await users.delete("a")).toBe(true);
    expect(await users.findByTokenHash("hash a")).toBeUndefined();
    expect(await conversations.find("written")).toBeUndefined();
    expect(await conversations.find("pending")).toBeUndefined();
    expect(await conversations.find("of b")).toBeDefined();
    expect(await conversations.find("of the admin")).toBeDefined();
    expect((await users.findByTokenHash("hash b"))?.id).toBe("b");
  });

  test("deleting an unknown one changes nothing and says so", async () => {
    const store = openTestStore();
    await store.users.add([newUser("a")]);
    expect(await store.users.delete("b")).toBe(false);
    expect(await store.users.delete("")).toBe(false);
    expect(await ids(store)).toEqual(["a"]);
  });

  test("are there again after the store was closed and opened", async () => {
    const path = join(tempFolder(), "server.db");
    const first = openTestFile(path);
    await first.users.add([newUser("a"), newUser("b")]);
    await first.close();
    expect(await ids(openTestFile(path))).toEqual(["a", "b"]);
  });

  test("that another process added or deleted count at once", async () => {
    const path = join(tempFolder(), "server.db");
    const [here, there] = [openTestFile(path), openTestFile(path)];
    await here.users.add([newUser("a", "hash a")]);
    expect((await there.users.findByTokenHash("hash a"))?.id).toBe("a");
    await there.users.delete("a");
    expect(await here.users.findByTokenHash("hash a")).toBeUndefined();
  });
});

const UNLIMITED = {
  name: null,
  expiresAt: null,
  models: null,
  requestsPerMinute: null,
  tokensPerDay: null,
  maxParallel: null,
};
const LIMITS = {
  name: "Ann",
  expiresAt: 2_000,
  models: ["llama", "qwen"],
  requestsPerMinute: 100,
  tokensPerDay: 1_000_000,
  maxParallel: 4,
};

describe("what is said of a user", () => {
  test("is nothing where nothing was said", async () => {
    const { users } = openTestStore({ now: () => 7 });
    await users.add([newUser("a", "hash a")]);
    const common = { ...UNLIMITED, id: "a", disabledAt: null };
    expect(await users.find("a")).toEqual({
      ...common,
      createdAt: 7,
      sealedToken: Buffer.from("sealed for a"),
    });
    expect(await users.findByTokenHash("hash a")).toEqual({ ...common, tokenExpiresAt: null });
    expect(await users.find("b")).toBeUndefined();
  });

  test("is found by id, by token and in the list", async () => {
    const { users } = openTestStore();
    await users.add([newUser("other"), { ...newUser("a", "hash a"), ...LIMITS }]);
    expect(await users.find("a")).toMatchObject(LIMITS);
    expect(await users.findByTokenHash("hash a")).toMatchObject(LIMITS);
    expect(await users.list()).toMatchObject([UNLIMITED, LIMITS]);
  });

  test("changes where it is given, is cleared by null, and else stays", async () => {
    const { users } = openTestStore();
    await users.add([newUser("other"), { ...newUser("a"), ...LIMITS }]);
    expect(await users.change("a", { maxParallel: 9, models: null, disabledAt: 5 })).toBe(true);
    expect(await users.find("a")).toMatchObject({ ...LIMITS, maxParallel: 9, models: null, disabledAt: 5 });
    expect(await users.change("a", { models: [], disabledAt: null })).toBe(true);
    expect(await users.find("a")).toMatchObject({ ...LIMITS, maxParallel: 9, models: [], disabledAt: null });
    expect(await users.change("a", {})).toBe(true);
    expect(await users.find("other")).toMatchObject(UNLIMITED);
  });

  test("cannot change of an unknown one", async () => {
    const { users } = openTestStore();
    expect(await users.change("a", { maxParallel: 9 })).toBe(false);
  });

  test("is null in the file where it is null", async () => {
    const path = join(tempFolder(), "server.db");
    const { users } = openTestFile(path);
    await users.add([newUser("a"), { ...newUser("b"), ...LIMITS }]);
    await users.change("b", { models: null });
    const database = new Database(path, { readonly: true });
    onTestFinished(() => database.close());
    expect(database.query("SELECT id FROM users WHERE models IS NULL").values()).toEqual([["a"], ["b"]]);
  });

  test("is kept when two processes change different things at once", async () => {
    const path = join(tempFolder(), "server.db");
    const [here, there] = [openTestFile(path), openTestFile(path)];
    await here.users.add([newUser("a")]);
    await Promise.all([here.users.change("a", { name: "Ann" }), there.users.change("a", { maxParallel: 2 })]);
    expect(await here.users.find("a")).toMatchObject({ name: "Ann", maxParallel: 2 });
  });
});

describe("a token that is replaced", () => {
  const token = (name: string) => ({ tokenHash: `hash ${name}`, sealedToken: Buffer.from(`sealed ${name}`) });
  const endOf = async ({ users }: Store, name: string) =>
    (await users.findByTokenHash(`hash ${name}`))?.tokenExpiresAt;

  test("is gone at once without a grace, and the list shows the new one", async () => {
    const store = openTestStore({ now: () => 1_000 });
    await store.users.add([newUser("a", "hash 1"), newUser("b", "hash b")]);
    expect(await store.users.rotate("a", token("2"), 1_000)).toBe(true);
    expect(await endOf(store, "1")).toBeUndefined();
    expect(await endOf(store, "2")).toBeNull();
    expect(await endOf(store, "b")).toBeNull();
    expect(await ids(store)).toEqual(["a", "b"]);
    expect(Buffer.from((await store.users.find("a"))?.sealedToken ?? []).toString()).toBe("sealed 2");
  });

  test("lives on until the grace ends, and no second grace makes that later", async () => {
    let now = 1_000;
    const store = openTestStore({ now: () => now });
    await store.users.add([newUser("a", "hash 1")]);
    await store.users.rotate("a", token("2"), 5_000);
    await store.users.rotate("a", token("3"), 9_000);
    expect([await endOf(store, "1"), await endOf(store, "2"), await endOf(store, "3")]).toEqual([
      5_000,
      9_000,
      null,
    ]);
    expect(await ids(store)).toEqual(["a"]);
    now = 5_000;
    await store.users.rotate("a", token("4"), 6_000);
    expect([await endOf(store, "1"), await endOf(store, "2"), await endOf(store, "3")]).toEqual([
      undefined,
      6_000,
      6_000,
    ]);
  });

  test("stays as it was when the new one is taken, or the user unknown", async () => {
    const store = openTestStore({ now: () => 1_000 });
    await store.users.add([newUser("a", "hash 1"), newUser("b", "hash b")]);
    expect(await failureOf(() => store.users.rotate("a", token("b"), 0))).toBeInstanceOf(Error);
    expect(await store.users.rotate("nobody", token("2"), 0)).toBe(false);
    expect(await endOf(store, "1")).toBeNull();
    expect(await endOf(store, "2")).toBeUndefined();
  });

  test("goes with its user", async () => {
    const store = openTestStore({ now: () => 1_000 });
    await store.users.add([newUser("a", "hash 1")]);
    await store.users.rotate("a", token("2"), 5_000);
    await store.users.delete("a");
    expect([await endOf(store, "1"), await endOf(store, "2")]).toEqual([undefined, undefined]);
  });
});
