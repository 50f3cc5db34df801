import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";
import { openTestFile, openTestStore, tempFolder } from "../../support/store.ts";
import { newUser } from "./rows.ts";

const FLUSH_MS = 1_000;
const RETRY_MS = 1_000;

/** Returns a store in a file, a fake clock, and a second connection that sees only what is written. */
async function scene() {
  const path = join(tempFolder(), "server.db");
  const clock = createFakeClock();
  const errors: Error[] = [];
  const store = openTestFile(path, {
    now: clock.now,
    after: clock.after,
    onError: (error) => errors.push(error),
  });
  await store.users.add([newUser("ann"), newUser("bob")]);
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  const written = () =>
    onDisk
      .query<{ id: string; used_at: number }, []>("SELECT id, used_at FROM conversations ORDER BY id")
      .all();
  /** Advances the clock and lets the flush finish, which works in microtasks and immediates. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  return { ...store, path, clock, errors, onDisk, written, pass };
}

/** The attributes of a conversation whose words are at its agent. */
const ATTRIBUTES = { kept: false, model: undefined };

describe("a remembered conversation", () => {
  test("a remembered conversation is found before and after it is written", async () => {
    const { conversations, written, pass } = await scene();
    const conversation = { id: "c", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES };
    conversations.remember(conversation);
    expect(await conversations.find("c")).toEqual(conversation);
    expect(written()).toEqual([]);
    await pass(FLUSH_MS);
    expect(written().map(({ id }) => id)).toEqual(["c"]);
    expect(await conversations.find("c")).toEqual(conversation);
  });

  test("a conversation of the admin is found with the admin as its owner", async () => {
    const { conversations, pass } = await scene();
    conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    await pass(FLUSH_MS);
    expect(await conversations.find("c")).toEqual({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
  });

  test("no timer runs once all conversations are written", async () => {
    const { conversations, clock, pass } = await scene();
    expect(clock.pending()).toBe(0);
    for (const id of ["a", "b", "c"]) conversations.remember({ id, owner: ADMIN, agent: "x", ...ATTRIBUTES });
    expect(clock.pending()).toBe(1);
    await pass(FLUSH_MS);
    expect(clock.pending()).toBe(0);
  });

  for (const [what, other] of [
    ["owner", { id: "c", owner: userPrincipal("bob"), agent: "x", ...ATTRIBUTES }],
    ["owner (the admin)", { id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES }],
    ["agent", { id: "c", owner: userPrincipal("ann"), agent: "y", ...ATTRIBUTES }],
  ] as const) {
    test(`a conversation is not taken over by another ${what}, pending or written`, async () => {
      const { conversations, clock, written, pass } = await scene();
      const first = { id: "c", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES };
      conversations.remember(first);
      conversations.remember(other);
      expect(await conversations.find("c")).toEqual(first);
      const rememberedAt = clock.now();
      await pass(FLUSH_MS);
      conversations.remember(other);
      expect(await conversations.find("c")).toEqual(first);
      await pass(FLUSH_MS);
      expect(await conversations.find("c")).toEqual(first);
      expect(written()).toEqual([{ id: "c", used_at: rememberedAt }]);
    });
  }

  test("a purge keeps a conversation that was used again, and deletes one that was not", async () => {
    const { conversations, clock, pass } = await scene();
    conversations.remember({ id: "used", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    conversations.remember({ id: "unused", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    const began = clock.now();
    await pass(10_000);
    conversations.remember({ id: "used", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    expect(await conversations.purge(began + 1)).toBe(1);
    expect(await conversations.find("unused")).toBeUndefined();
    expect(await conversations.find("used")).toBeDefined();
    expect(await conversations.purge(began + 1)).toBe(0);
  });

  test("a purge keeps a conversation that was last used exactly at the limit", async () => {
    const { conversations, clock } = await scene();
    conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    expect(await conversations.purge(clock.now())).toBe(0);
    expect(await conversations.purge(clock.now() + 1)).toBe(1);
  });

  test("a conversation does not look unused after the clock was set back", async () => {
    let now = 2_000;
    const { conversations } = openTestStore({ now: () => now });
    conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    await conversations.purge(0);
    now = 1_000;
    conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    expect(await conversations.purge(2_000)).toBe(0);
  });

  test("all remembered conversations are written when the store closes", async () => {
    const { conversations, path, close } = await scene();
    for (let index = 0; index < 2_500; index++)
      conversations.remember({ id: `c${index}`, owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
    await close();
    const again = openTestFile(path);
    expect(await again.conversations.find("c0")).toBeDefined();
    expect(await again.conversations.find("c2499")).toBeDefined();
    expect(await again.conversations.purge(Number.MAX_SAFE_INTEGER)).toBe(2_500);
  });

  test("a conversation of a user deleted by another process does not keep the others from being written", async () => {
    const { conversations, onDisk, errors, written, pass } = await scene();
    conversations.remember({ id: "a", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
    conversations.remember({ id: "b", owner: userPrincipal("bob"), agent: "x", ...ATTRIBUTES });
    conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    onDisk.run("PRAGMA foreign_keys = ON");
    onDisk.run("DELETE FROM users WHERE id = 'ann'");
    await pass(FLUSH_MS);
    expect(written().map(({ id }) => id)).toEqual(["b", "c"]);
    expect(errors).toEqual([]);
    expect(await conversations.find("a")).toBeUndefined();
  });
});

describe("when writing fails", () => {
  const breakTable = "ALTER TABLE conversations RENAME TO broken";
  const mendTable = "ALTER TABLE broken RENAME TO conversations";

  test("a failed write of conversations is reported, and the next attempt writes all of them", async () => {
    const { conversations, onDisk, errors, written, pass } = await scene();
    onDisk.run(breakTable);
    conversations.remember({ id: "a", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
    await pass(FLUSH_MS);
    expect(errors.map(String)).toEqual([expect.stringContaining("1 conversations could not be written")]);
    conversations.remember({ id: "b", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
    onDisk.run(mendTable);
    await pass(RETRY_MS);
    expect(written().map(({ id }) => id)).toEqual(["a", "b"]);
    expect(errors).toHaveLength(1);
  });

  test("at most 10,000 conversations wait to be written: the oldest are dropped, and counted in the report", async () => {
    const { conversations, onDisk, errors, written, pass } = await scene();
    onDisk.run(breakTable);
    for (let index = 0; index < 10_003; index++)
      conversations.remember({ id: `c${index}`, owner: ADMIN, agent: "x", ...ATTRIBUTES });
    await pass(FLUSH_MS);
    expect(String(errors[0])).toContain("10000 conversations could not be written, 3 were dropped");
    onDisk.run(mendTable);
    await conversations.purge(0);
    expect(written()).toHaveLength(10_000);
    expect(await conversations.find("c2")).toBeUndefined();
    expect(await conversations.find("c3")).toBeDefined();
  });

  test("long texts wait for no others: they take memory until they are written", async () => {
    const { conversations, written } = await scene();
    const turn = { id: "t", question: "", answer: "x".repeat(1024 ** 2), parent: undefined };
    const remember = (id: string) =>
      conversations.remember({ id, owner: ADMIN, agent: "x", ...ATTRIBUTES }, turn);
    for (const id of ["a", "b", "c"]) remember(id);
    for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
    expect(written()).toHaveLength(0);
    remember("d");
    for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
    expect(written()).toHaveLength(4);
  });

  test("a purge fails while writing fails, rather than delete a conversation whose last use is not written yet", async () => {
    const { conversations, onDisk } = await scene();
    conversations.remember({ id: "a", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    onDisk.run(breakTable);
    await expect(conversations.purge(Number.MAX_SAFE_INTEGER)).rejects.toThrow();
    onDisk.run(mendTable);
    expect(await conversations.find("a")).toBeDefined();
  });

  test("the store closes while writing fails, and reports what is lost", async () => {
    const { conversations, onDisk, errors, clock, close } = await scene();
    onDisk.run(breakTable);
    conversations.remember({ id: "a", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    await close();
    expect(errors).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });
});

describe("while another process writes", () => {
  test("a change waits while another process writes, without blocking the event loop", async () => {
    const { users, onDisk } = await scene();
    onDisk.run("BEGIN IMMEDIATE");
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns === 3) onDisk.run("COMMIT");
    }, 1);
    await users.add([newUser("late")]);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
    expect((await users.findByTokenHash("hash of late"))?.id).toBe("late");
  });

  test("conversations are found and remembered without waiting while another process writes", async () => {
    const { conversations, onDisk, written, pass } = await scene();
    conversations.remember({ id: "a", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    await pass(FLUSH_MS);
    onDisk.run("BEGIN IMMEDIATE");
    conversations.remember({ id: "b", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    expect(await conversations.find("a")).toBeDefined();
    expect(await conversations.find("b")).toBeDefined();
    onDisk.run("COMMIT");
    await conversations.purge(0);
    expect(written().map(({ id }) => id)).toEqual(["a", "b"]);
  });
});

describe("a kept conversation", () => {
  const kept = (agent: string, model = "m") => ({
    id: "c",
    owner: userPrincipal("ann"),
    agent,
    kept: true,
    model,
  });
  const turn = (id: string, parent?: string) => ({ id, parent, question: `q ${id}`, answer: `a ${id}` });
  const ids = (turns: readonly { id: string }[] | undefined) => turns?.map(({ id }) => id);

  test("a kept conversation has its turns in order, before and after they are written", async () => {
    const { conversations, pass } = await scene();
    conversations.remember(kept("x"), turn("1"));
    conversations.remember(kept("x"), turn("2", "1"));
    expect(await conversations.branch("c", undefined)).toEqual([turn("1"), turn("2", "1")]);
    await pass(FLUSH_MS);
    conversations.remember(kept("x"), turn("3", "2"));
    await pass(FLUSH_MS);
    expect(await conversations.branch("c", "3")).toEqual([turn("1"), turn("2", "1"), turn("3", "2")]);
  });

  test("a branch has the turns that its last turn continues, and no others", async () => {
    const { conversations } = await scene();
    for (const one of [turn("1"), turn("2", "1"), turn("2b", "1"), turn("3b", "2b")]) {
      conversations.remember(kept("x"), one);
    }
    expect(ids(await conversations.branch("c", "3b"))).toEqual(["1", "2b", "3b"]);
    expect(ids(await conversations.branch("c", "2"))).toEqual(["1", "2"]);
    expect(ids(await conversations.branch("c", undefined))).toEqual(["1", "2b", "3b"]);
  });

  test("a branch cannot end at a turn of another conversation", async () => {
    const { conversations } = await scene();
    conversations.remember(kept("x"), turn("1"));
    conversations.remember({ ...kept("x"), id: "other" }, turn("2"));
    expect(await conversations.branch("c", "2")).toBeUndefined();
    expect(await conversations.branch("unknown", undefined)).toBeUndefined();
  });

  test("a kept conversation is continued by another agent and model", async () => {
    const { conversations, pass } = await scene();
    conversations.remember(kept("x"), turn("1"));
    await pass(FLUSH_MS);
    conversations.remember(kept("y", "n"), turn("2", "1"));
    await pass(FLUSH_MS);
    expect(await conversations.find("c")).toEqual(kept("y", "n"));
  });

  test("a kept conversation takes no turn from another owner, pending or written", async () => {
    const { conversations, pass } = await scene();
    conversations.remember(kept("x"), turn("1"));
    conversations.remember({ ...kept("x"), owner: userPrincipal("bob") }, turn("2", "1"));
    await pass(FLUSH_MS);
    conversations.remember({ ...kept("x"), owner: userPrincipal("bob") }, turn("3", "1"));
    await pass(FLUSH_MS);
    expect(ids(await conversations.branch("c", undefined))).toEqual(["1"]);
  });

  test("a purge deletes a kept conversation with its turns", async () => {
    const { conversations, clock, onDisk } = await scene();
    conversations.remember(kept("x"), turn("1"));
    expect(await conversations.purge(clock.now() + 1)).toBe(1);
    expect(onDisk.query("SELECT count(*) AS count FROM turns").get()).toEqual({ count: 0 });
  });
});
