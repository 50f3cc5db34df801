import { describe, expect, test } from "bun:test";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import type { NewUser, Store } from "../../../src/store/store.ts";
import { failureOf } from "../../support/store.ts";
import { newUser } from "../rows.ts";
import { turnsDuring } from "../turns-during.ts";
import { type BackEnd, openNew, type TestStoreOptions } from "./back-end.ts";

/** Defines the tests of users and their tokens. */
export function testUsers(backEnd: BackEnd): void {
  const openStore = (options?: TestStoreOptions) => openNew(backEnd, options);

  const ids = async ({ users }: Store) => (await users.list()).map(({ id }) => id);

  describe("users", () => {
    test("users are listed in the order they were added, with their sealed tokens", async () => {
      const { users } = await openStore();
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

    test("users keep their order when one is deleted and added again", async () => {
      const store = await openStore();
      await store.users.add([newUser("a"), newUser("b")]);
      await store.users.delete("b");
      await store.users.add([newUser("c"), newUser("b")]);
      expect(await ids(store)).toEqual(["a", "c", "b"]);
    });

    test("users are all listed in order when they do not fit one page", async () => {
      const store = await openStore();
      const many = Array.from({ length: 4_001 }, (_, index) => `user ${index}`);
      await store.users.add(many.map((id) => newUser(id)));
      expect(await ids(store)).toEqual(many);
    });

    test("listing many users lets the event loop run in between", async () => {
      const { users } = await openStore();
      await users.add(Array.from({ length: 10_000 }, (_, index) => newUser(`user ${index}`)));
      expect(await turnsDuring(users.list)).toBeGreaterThanOrEqual(4);
    });

    test("users are found by the hash of their token only", async () => {
      const { users } = await openStore();
      await users.add([newUser("a", "hash a"), newUser("b", "hash b")]);
      expect((await users.findByTokenHash("hash b"))?.id).toBe("b");
      expect(await users.findByTokenHash("HASH B")).toBeUndefined();
      expect(await users.findByTokenHash("")).toBeUndefined();
    });

    for (const [what, taken] of [
      ["id", newUser("a", "another hash")],
      ["token", newUser("another", "hash a")],
    ] as const) {
      test(`no user of a group is added when one has a taken ${what}`, async () => {
        const store = await openStore();
        await store.users.add([newUser("a", "hash a")]);
        expect(await failureOf(() => store.users.add([newUser("new"), taken]))).toBeInstanceOf(Error);
        expect(await ids(store)).toEqual(["a"]);
        expect(await store.users.findByTokenHash("hash of new")).toBeUndefined();
      });
    }

    test("a user is deleted with their token and conversations, written or not, and nothing of others", async () => {
      const { users, conversations } = await openStore();
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

    test("deleting an unknown user returns false and changes nothing", async () => {
      const store = await openStore();
      await store.users.add([newUser("a")]);
      expect(await store.users.delete("b")).toBe(false);
      expect(await store.users.delete("")).toBe(false);
      expect(await ids(store)).toEqual(["a"]);
    });

    test("users are still there after the store was closed and opened again", async () => {
      const data = await backEnd.create();
      const first = await data.open();
      await first.users.add([newUser("a"), newUser("b")]);
      await first.close();
      expect(await ids(await data.open())).toEqual(["a", "b"]);
    });

    test("users added or deleted by another process count at once", async () => {
      const data = await backEnd.create();
      const [here, there] = [await data.open(), await data.open()];
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
    budgetDayMicros: null,
    budgetMonthMicros: null,
    priority: null,
    agentTags: null,
  };
  const LIMITS = {
    name: "Ann",
    expiresAt: 2_000,
    models: ["llama", "qwen"],
    requestsPerMinute: 100,
    tokensPerDay: 1_000_000,
    maxParallel: 4,
    budgetDayMicros: 2_500_000,
    budgetMonthMicros: 1_000_000_000_000_000,
    priority: "low",
    agentTags: ["home", "gpu"],
  } as const satisfies Partial<NewUser>;

  describe("the attributes of a user", () => {
    test("a user added without attributes has none", async () => {
      const { users } = await openStore({ now: () => 7 });
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

    test("attributes are returned by id, by token and in the list", async () => {
      const { users } = await openStore();
      await users.add([newUser("other"), { ...newUser("a", "hash a"), ...LIMITS }]);
      expect(await users.find("a")).toMatchObject(LIMITS);
      expect(await users.findByTokenHash("hash a")).toMatchObject(LIMITS);
      expect(await users.list()).toMatchObject([UNLIMITED, LIMITS]);
    });

    test("a change sets the given attributes, clears those that are null, and keeps the others", async () => {
      const { users } = await openStore();
      await users.add([newUser("other"), { ...newUser("a"), ...LIMITS }]);
      expect(await users.change("a", { maxParallel: 9, models: null, disabledAt: 5 })).toBe(true);
      expect(await users.find("a")).toMatchObject({ ...LIMITS, maxParallel: 9, models: null, disabledAt: 5 });
      expect(await users.change("a", { priority: null, agentTags: null })).toBe(true);
      expect(await users.find("a")).toMatchObject({ priority: null, agentTags: null });
      expect(await users.change("a", { priority: LIMITS.priority, agentTags: LIMITS.agentTags })).toBe(true);
      expect(await users.change("a", { models: [], disabledAt: null })).toBe(true);
      expect(await users.find("a")).toMatchObject({
        ...LIMITS,
        maxParallel: 9,
        models: [],
        disabledAt: null,
      });
      expect(await users.change("a", {})).toBe(true);
      expect(await users.find("other")).toMatchObject(UNLIMITED);
    });

    test("changing an unknown user returns false", async () => {
      const { users } = await openStore();
      expect(await users.change("a", { maxParallel: 9 })).toBe(false);
    });

    test("an attribute that is null is NULL in the table", async () => {
      const data = await backEnd.create();
      const { users } = await data.open();
      await users.add([newUser("a"), { ...newUser("b"), ...LIMITS }]);
      await users.change("b", { models: null });
      const found = await data.query("SELECT id FROM users WHERE models IS NULL ORDER BY id");
      expect(found.map(({ id }) => id)).toEqual(["a", "b"]);
    });

    test("two processes can change different attributes at the same time", async () => {
      const data = await backEnd.create();
      const [here, there] = [await data.open(), await data.open()];
      await here.users.add([newUser("a")]);
      await Promise.all([
        here.users.change("a", { name: "Ann" }),
        there.users.change("a", { maxParallel: 2 }),
      ]);
      expect(await here.users.find("a")).toMatchObject({ name: "Ann", maxParallel: 2 });
    });
  });

  describe("a replaced token", () => {
    const token = (name: string) => ({
      tokenHash: `hash ${name}`,
      sealedToken: Buffer.from(`sealed ${name}`),
    });
    const endOf = async ({ users }: Store, name: string) =>
      (await users.findByTokenHash(`hash ${name}`))?.tokenExpiresAt;

    test("without a grace period a replaced token is deleted at once, and the list shows the new one", async () => {
      const store = await openStore({ now: () => 1_000 });
      await store.users.add([newUser("a", "hash 1"), newUser("b", "hash b")]);
      expect(await store.users.rotate("a", token("2"), 1_000)).toBe(true);
      expect(await endOf(store, "1")).toBeUndefined();
      expect(await endOf(store, "2")).toBeNull();
      expect(await endOf(store, "b")).toBeNull();
      expect(await ids(store)).toEqual(["a", "b"]);
      expect(Buffer.from((await store.users.find("a"))?.sealedToken ?? []).toString()).toBe("sealed 2");
    });

    test("a replaced token is valid until its grace period ends, which a second one does not extend", async () => {
      let now = 1_000;
      const store = await openStore({ now: () => now });
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

    test("a token is not replaced when the new one is taken or the user is unknown", async () => {
      const store = await openStore({ now: () => 1_000 });
      await store.users.add([newUser("a", "hash 1"), newUser("b", "hash b")]);
      expect(await failureOf(() => store.users.rotate("a", token("b"), 0))).toBeInstanceOf(Error);
      expect(await store.users.rotate("nobody", token("2"), 0)).toBe(false);
      expect(await endOf(store, "1")).toBeNull();
      expect(await endOf(store, "2")).toBeUndefined();
    });

    test("replaced tokens are deleted with their user", async () => {
      const store = await openStore({ now: () => 1_000 });
      await store.users.add([newUser("a", "hash 1")]);
      await store.users.rotate("a", token("2"), 5_000);
      await store.users.delete("a");
      expect([await endOf(store, "1"), await endOf(store, "2")]).toEqual([undefined, undefined]);
    });
  });
}
