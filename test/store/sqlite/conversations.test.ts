import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";
import { newUser } from "../rows.ts";

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

test("no timer runs once all conversations are written", async () => {
  const { conversations, clock, pass } = await scene();
  expect(clock.pending()).toBe(0);
  for (const id of ["a", "b", "c"]) conversations.remember({ id, owner: ADMIN, agent: "x", ...ATTRIBUTES });
  expect(clock.pending()).toBe(1);
  await pass(FLUSH_MS);
  expect(clock.pending()).toBe(0);
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

  test("each turn counts once in the length of a conversation that is used again while its write waits", async () => {
    const { conversations, onDisk, pass } = await scene();
    const use = (id: string, length: number) => {
      const turn = { id, parent: undefined, question: "", answer: "x".repeat(length) };
      conversations.remember({ id: "a", owner: ADMIN, agent: "x", kept: true, model: undefined }, turn);
    };
    use("first", 1_000);
    onDisk.run("BEGIN IMMEDIATE");
    await pass(FLUSH_MS);
    use("second", 500);
    onDisk.run("COMMIT");
    await conversations.purge(0);
    expect(onDisk.query("SELECT count(*) AS count FROM turns").get()).toEqual({ count: 2 });
    expect(onDisk.query("SELECT length FROM conversations").get()).toEqual({ length: 1_024 + 1_500 });
  });
});

test("a kept conversation goes on with turns that could not be written, but never with those of another owner", async () => {
  const { conversations, onDisk, pass } = await scene();
  const kept = (owner: typeof ADMIN | ReturnType<typeof userPrincipal>, id = "k") => ({
    ...{ id, owner, agent: "a", kept: true, model: "m" },
  });
  const turn = (id: string, parent?: string) => ({ id, parent, question: `q${id}`, answer: `a${id}` });
  const ids = async (last?: string, id = "k") => (await conversations.branch(id, last))?.map(({ id }) => id);
  conversations.remember(kept(ADMIN), turn("1"));
  await pass(FLUSH_MS);
  onDisk.run("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  conversations.remember(kept(ADMIN), turn("2", "1"));
  conversations.remember(kept(ADMIN), turn("3", "2"));
  conversations.remember(kept(ADMIN), turn("4", "1"));
  expect(await ids()).toEqual(["1", "4"]);
  expect(await ids("3")).toEqual(["1", "2", "3"]);
  expect(await ids("1")).toEqual(["1"]);
  expect(await ids("5")).toBeUndefined();
  conversations.remember(kept(ADMIN, "new"), turn("6"));
  expect(await ids(undefined, "new")).toEqual(["6"]);
  onDisk.run(
    "INSERT INTO conversations SELECT 'new', 'bob', agent, created_at, used_at, kept, model, length FROM conversations",
  );
  expect(await ids(undefined, "new")).toBeUndefined();
  onDisk.run("DROP TRIGGER full");
  expect(await ids("3")).toEqual(["1", "2", "3"]);
});
