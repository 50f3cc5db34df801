import { describe, expect, test } from "bun:test";
import { failureOf } from "../../support/store.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, openNew, type TestStoreOptions } from "./back-end.ts";

/** Defines the tests of the keys of agents. */
export function testAgentKeys(backEnd: BackEnd): void {
  const openStore = (options?: TestStoreOptions) => openNew(backEnd, options);

  const NO_PREFERENCE = { priority: null, weight: null, tags: null, ownerId: null, showsName: false };
  const PREFERENCE = { priority: -5, weight: 2.5, tags: ["home", "gpu"], ownerId: "ann", showsName: true };

  const key = (id: string, name = `name of ${id}`, models: string[] | null = null) => ({
    id,
    name,
    keyHash: `hash of ${id}`,
    models,
  });

  describe("agent keys", () => {
    test("agent keys are listed in the order they were added, and found by their hash only", async () => {
      const { agentKeys } = await openStore({ now: () => 7 });
      await agentKeys.add(key("b"));
      await agentKeys.add(key("a", "box", ["llama", "qwen"]));
      const [b, a] = [
        { id: "b", name: "name of b", models: null, createdAt: 7, revokedAt: null, ...NO_PREFERENCE },
        { id: "a", name: "box", models: ["llama", "qwen"], createdAt: 7, revokedAt: null, ...NO_PREFERENCE },
      ];
      expect(await agentKeys.list()).toEqual([b, a]);
      expect(await agentKeys.findByHash("hash of a")).toEqual(a);
      expect(await agentKeys.findByHash("HASH OF A")).toBeUndefined();
      expect(await agentKeys.findByHash("a")).toBeUndefined();
    });

    test("an agent key with an empty list of models allows none of them", async () => {
      const { agentKeys } = await openStore();
      await agentKeys.add(key("a", "a", []));
      expect((await agentKeys.findByHash("hash of a"))?.models).toEqual([]);
    });

    test("an agent key has the preference that it was added with", async () => {
      const { agentKeys, users } = await openStore();
      await users.add([newUser("ann")]);
      await agentKeys.add({ ...key("a"), ...PREFERENCE });
      await agentKeys.add({ ...key("b"), showsName: true });
      expect(await agentKeys.findByHash("hash of a")).toMatchObject(PREFERENCE);
      expect(await agentKeys.list()).toMatchObject([PREFERENCE, { ...NO_PREFERENCE, showsName: true }]);
    });

    test("a change of an agent key sets what is given, clears what is null, and keeps the rest", async () => {
      const { agentKeys, users } = await openStore();
      await users.add([newUser("ann")]);
      await agentKeys.add({ ...key("a", "box", ["llama"]), ...PREFERENCE });
      await agentKeys.add(key("other"));
      expect(await agentKeys.change("a", { priority: 7, tags: null, ownerId: null })).toBe(true);
      const changed = {
        ...PREFERENCE,
        priority: 7,
        tags: null,
        ownerId: null,
        name: "box",
        models: ["llama"],
      };
      expect(await agentKeys.findByHash("hash of a")).toMatchObject(changed);
      expect(await agentKeys.change("a", { showsName: false })).toBe(true);
      expect(await agentKeys.change("a", {})).toBe(true);
      expect(await agentKeys.list()).toMatchObject([{ ...changed, showsName: false }, NO_PREFERENCE]);
    });

    test("an unknown or revoked agent key cannot be changed", async () => {
      const { agentKeys } = await openStore();
      await agentKeys.add(key("a"));
      await agentKeys.revoke("a");
      expect(await agentKeys.change("a", { priority: 1 })).toBe(false);
      expect(await agentKeys.change("unknown", { priority: 1 })).toBe(false);
      expect(await agentKeys.list()).toMatchObject([NO_PREFERENCE]);
    });

    test("an agent key cannot have an owner who does not exist", async () => {
      const { agentKeys } = await openStore();
      expect(await failureOf(() => agentKeys.add({ ...key("a"), ownerId: "nobody" }))).toBeInstanceOf(Error);
      await agentKeys.add(key("b"));
      expect(await failureOf(() => agentKeys.change("b", { ownerId: "nobody" }))).toBeInstanceOf(Error);
      expect(await agentKeys.list()).toMatchObject([{ id: "b", ownerId: null }]);
    });

    test("agent keys lose their owner when the user is deleted, and keep everything else", async () => {
      const { agentKeys, users } = await openStore();
      await users.add([newUser("ann"), newUser("bob")]);
      await agentKeys.add({ ...key("a"), ...PREFERENCE });
      await agentKeys.add({ ...key("b"), ownerId: "bob" });
      await users.delete("ann");
      expect(await agentKeys.list()).toMatchObject([{ ...PREFERENCE, ownerId: null }, { ownerId: "bob" }]);
    });

    test("an agent key is revoked once, and is still found", async () => {
      let now = 1;
      const { agentKeys } = await openStore({ now: () => now });
      await agentKeys.add(key("a"));
      await agentKeys.add(key("b"));
      now = 2;
      expect(await agentKeys.revoke("a")).toBe(true);
      now = 3;
      expect(await agentKeys.revoke("a")).toBe(false);
      expect(await agentKeys.revoke("unknown")).toBe(false);
      expect((await agentKeys.findByHash("hash of a"))?.revokedAt).toBe(2);
      expect((await agentKeys.findByHash("hash of b"))?.revokedAt).toBeNull();
    });

    test("an agent key cannot have the name of another key that is not revoked", async () => {
      const { agentKeys } = await openStore();
      await agentKeys.add(key("a", "box"));
      expect(String(await failureOf(() => agentKeys.add(key("b", "box"))))).toContain("box");
      await agentKeys.revoke("a");
      await agentKeys.add(key("b", "box"));
      expect((await agentKeys.list()).map(({ id }) => id)).toEqual(["a", "b"]);
    });

    test("two agent keys cannot have the same hash", async () => {
      const { agentKeys } = await openStore();
      await agentKeys.add(key("a"));
      expect(await failureOf(() => agentKeys.add({ ...key("b"), keyHash: "hash of a" }))).toBeInstanceOf(
        Error,
      );
      expect(await agentKeys.list()).toHaveLength(1);
    });

    test("an agent key revoked by another process counts as revoked at once", async () => {
      const data = await backEnd.create();
      const [here, there] = [await data.open(), await data.open()];
      await here.agentKeys.add(key("a"));
      await there.agentKeys.revoke("a");
      expect((await here.agentKeys.findByHash("hash of a"))?.revokedAt).toBeNumber();
    });
  });
}
