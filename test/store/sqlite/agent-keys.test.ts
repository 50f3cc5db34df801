import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../../support/store.ts";

const key = (id: string, name = `name of ${id}`, models: string[] | null = null) => ({
  id,
  name,
  keyHash: `hash of ${id}`,
  models,
});

describe("agent keys", () => {
  test("agent keys are listed in the order they were added, and found by their hash only", async () => {
    const { agentKeys } = openTestStore({ now: () => 7 });
    await agentKeys.add(key("b"));
    await agentKeys.add(key("a", "box", ["llama", "qwen"]));
    const [b, a] = [
      { id: "b", name: "name of b", models: null, createdAt: 7, revokedAt: null },
      { id: "a", name: "box", models: ["llama", "qwen"], createdAt: 7, revokedAt: null },
    ];
    expect(await agentKeys.list()).toEqual([b, a]);
    expect(await agentKeys.findByHash("hash of a")).toEqual(a);
    expect(await agentKeys.findByHash("HASH OF A")).toBeUndefined();
    expect(await agentKeys.findByHash("a")).toBeUndefined();
  });

  test("an agent key with an empty list of models allows none of them", async () => {
    const { agentKeys } = openTestStore();
    await agentKeys.add(key("a", "a", []));
    expect((await agentKeys.findByHash("hash of a"))?.models).toEqual([]);
  });

  test("an agent key is revoked once, and is still found", async () => {
    let now = 1;
    const { agentKeys } = openTestStore({ now: () => now });
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
    const { agentKeys } = openTestStore();
    await agentKeys.add(key("a", "box"));
    expect(String(await failureOf(() => agentKeys.add(key("b", "box"))))).toContain("box");
    await agentKeys.revoke("a");
    await agentKeys.add(key("b", "box"));
    expect((await agentKeys.list()).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("two agent keys cannot have the same hash", async () => {
    const { agentKeys } = openTestStore();
    await agentKeys.add(key("a"));
    expect(await failureOf(() => agentKeys.add({ ...key("b"), keyHash: "hash of a" }))).toBeInstanceOf(Error);
    expect(await agentKeys.list()).toHaveLength(1);
  });

  test("an agent key revoked by another process counts as revoked at once", async () => {
    const path = join(tempFolder(), "server.db");
    const [here, there] = [openTestFile(path), openTestFile(path)];
    await here.agentKeys.add(key("a"));
    await there.agentKeys.revoke("a");
    expect((await here.agentKeys.findByHash("hash of a"))?.revokedAt).toBeNumber();
  });
});
