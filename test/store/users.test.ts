import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Store } from "../../src/store/store.ts";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../support/store.ts";
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
    expect(await users.findByTokenHash("hash b")).toBe("b");
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
    conversations.remember({ id: "written", user: "a", agent: "x", kept: false, model: undefined });
    conversations.remember({ id: "of b", user: "b", agent: "x", kept: false, model: undefined });
    conversations.remember({ id: "of the admin", user: null, agent: "x", kept: false, model: undefined });
    await conversations.purge(0);
    conversations.remember({ id: "pending", user: "a", agent: "x", kept: false, model: undefined });
    expect(await users.delete("a")).toBe(true);
    expect(await users.findByTokenHash("hash a")).toBeUndefined();
    expect(await conversations.find("written")).toBeUndefined();
    expect(await conversations.find("pending")).toBeUndefined();
    expect(await conversations.find("of b")).toBeDefined();
    expect(await conversations.find("of the admin")).toBeDefined();
    expect(await users.findByTokenHash("hash b")).toBe("b");
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
    expect(await there.users.findByTokenHash("hash a")).toBe("a");
    await there.users.delete("a");
    expect(await here.users.findByTokenHash("hash a")).toBeUndefined();
  });
});
