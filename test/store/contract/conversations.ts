import { describe, expect, test } from "bun:test";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, countIn, openNew } from "./back-end.ts";

async function createScene(backEnd: BackEnd) {
  const data = await backEnd.create();
  const clock = createFakeClock();
  const errors: Error[] = [];
  const { now, after } = clock;
  const store = await data.open({ now, after, onError: (error) => errors.push(error) });
  await store.users.add([newUser("ann"), newUser("bob")]);
  /** Returns what is written. */
  const written = async () =>
    (await data.query("SELECT id, used_at FROM conversations ORDER BY id")).map(({ id, used_at }) => ({
      id,
      used_at: Number(used_at),
    }));
  /** Writes what is remembered. */
  const write = () => store.conversations.purge(0);
  return { ...store, data, clock, errors, written, write };
}
/** The attributes of a conversation whose words are at its agent. */
const ATTRIBUTES = { kept: false, model: undefined };

/** Defines the tests of conversations. */
export function testConversations(backEnd: BackEnd): void {
  describe("a remembered conversation", () => {
    test("a remembered conversation is found before and after it is written", async () => {
      const { conversations, written, write } = await createScene(backEnd);
      const conversation = { id: "c", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES };
      conversations.remember(conversation);
      expect(await conversations.find("c")).toEqual(conversation);
      expect(await written()).toEqual([]);
      await write();
      expect((await written()).map(({ id }) => id)).toEqual(["c"]);
      expect(await conversations.find("c")).toEqual(conversation);
    });

    test("each turn counts once in the length of a conversation that is used again during its write", async () => {
      const { conversations, data, clock, write } = await createScene(backEnd);
      const use = (id: string, length: number) => {
        const turn = { id, parent: undefined, question: "", answer: "x".repeat(length) };
        conversations.remember({ id: "c", owner: ADMIN, agent: "x", kept: true, model: "m" }, turn);
      };
      use("first", 1_000);
      clock.advance(1_000);
      await new Promise(setImmediate);
      use("second", 500);
      await write();
      const rows = await data.query("SELECT length FROM conversations");
      expect(rows.map(({ length }) => Number(length))).toEqual([1_024 + 1_500]);
    });

    test("a conversation of the admin is found with the admin as its owner", async () => {
      const { conversations, write } = await createScene(backEnd);
      conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      await write();
      expect(await conversations.find("c")).toEqual({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
    });

    for (const [what, other] of [
      ["owner", { id: "c", owner: userPrincipal("bob"), agent: "x", ...ATTRIBUTES }],
      ["owner (the admin)", { id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES }],
      ["agent", { id: "c", owner: userPrincipal("ann"), agent: "y", ...ATTRIBUTES }],
    ] as const) {
      test(`a conversation is not taken over by another ${what}, pending or written`, async () => {
        const { conversations, clock, written, write } = await createScene(backEnd);
        const first = { id: "c", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES };
        conversations.remember(first);
        conversations.remember(other);
        expect(await conversations.find("c")).toEqual(first);
        const rememberedAt = clock.now();
        await write();
        conversations.remember(other);
        expect(await conversations.find("c")).toEqual(first);
        await write();
        expect(await conversations.find("c")).toEqual(first);
        expect(await written()).toEqual([{ id: "c", used_at: rememberedAt }]);
      });
    }

    test("a purge keeps a conversation that was used again, and deletes one that was not", async () => {
      const { conversations, clock, write } = await createScene(backEnd);
      conversations.remember({ id: "used", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      conversations.remember({ id: "unused", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      const began = clock.now();
      clock.advance(10_000);
      await write();
      conversations.remember({ id: "used", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      expect(await conversations.purge(began + 1)).toBe(1);
      expect(await conversations.find("unused")).toBeUndefined();
      expect(await conversations.find("used")).toBeDefined();
      expect(await conversations.purge(began + 1)).toBe(0);
    });

    test("a purge keeps a conversation that was last used exactly at the limit", async () => {
      const { conversations, clock } = await createScene(backEnd);
      conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      expect(await conversations.purge(clock.now())).toBe(0);
      expect(await conversations.purge(clock.now() + 1)).toBe(1);
    });

    test("a conversation does not look unused after the clock was set back", async () => {
      let now = 2_000;
      const { conversations } = await openNew(backEnd, { now: () => now });
      conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      await conversations.purge(0);
      now = 1_000;
      conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      expect(await conversations.purge(2_000)).toBe(0);
    });

    test("all remembered conversations are written when the store closes", async () => {
      const { conversations, data, close } = await createScene(backEnd);
      for (let index = 0; index < 2_500; index++)
        conversations.remember({ id: `c${index}`, owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
      await close();
      const again = await data.open();
      expect(await again.conversations.find("c0")).toBeDefined();
      expect(await again.conversations.find("c2499")).toBeDefined();
      expect(await again.conversations.purge(Number.MAX_SAFE_INTEGER)).toBe(2_500);
    });

    test("a conversation of a user deleted by another process does not keep the others from being written", async () => {
      const { conversations, data, errors, written, write } = await createScene(backEnd);
      conversations.remember({ id: "a", owner: userPrincipal("ann"), agent: "x", ...ATTRIBUTES });
      conversations.remember({ id: "b", owner: userPrincipal("bob"), agent: "x", ...ATTRIBUTES });
      conversations.remember({ id: "c", owner: ADMIN, agent: "x", ...ATTRIBUTES });
      await data.query("DELETE FROM users WHERE id = 'ann'");
      await write();
      expect((await written()).map(({ id }) => id)).toEqual(["b", "c"]);
      expect(errors).toEqual([]);
      expect(await conversations.find("a")).toBeUndefined();
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
      const { conversations, write } = await createScene(backEnd);
      conversations.remember(kept("x"), turn("1"));
      conversations.remember(kept("x"), turn("2", "1"));
      expect(await conversations.branch("c", undefined)).toEqual([turn("1"), turn("2", "1")]);
      await write();
      conversations.remember(kept("x"), turn("3", "2"));
      await write();
      expect(await conversations.branch("c", "3")).toEqual([turn("1"), turn("2", "1"), turn("3", "2")]);
    });

    test("a branch has the turns that its last turn continues, and no others", async () => {
      const { conversations } = await createScene(backEnd);
      for (const one of [turn("1"), turn("2", "1"), turn("2b", "1"), turn("3b", "2b")]) {
        conversations.remember(kept("x"), one);
      }
      expect(ids(await conversations.branch("c", "3b"))).toEqual(["1", "2b", "3b"]);
      expect(ids(await conversations.branch("c", "2"))).toEqual(["1", "2"]);
      expect(ids(await conversations.branch("c", undefined))).toEqual(["1", "2b", "3b"]);
    });

    test("a branch cannot end at a turn of another conversation", async () => {
      const { conversations } = await createScene(backEnd);
      conversations.remember(kept("x"), turn("1"));
      conversations.remember({ ...kept("x"), id: "other" }, turn("2"));
      expect(await conversations.branch("c", "2")).toBeUndefined();
      expect(await conversations.branch("unknown", undefined)).toBeUndefined();
    });

    test("a kept conversation is continued by another agent and model", async () => {
      const { conversations, write } = await createScene(backEnd);
      conversations.remember(kept("x"), turn("1"));
      await write();
      conversations.remember(kept("y", "n"), turn("2", "1"));
      await write();
      expect(await conversations.find("c")).toEqual(kept("y", "n"));
    });

    test("a kept conversation takes no turn from another owner, pending or written", async () => {
      const { conversations, write } = await createScene(backEnd);
      conversations.remember(kept("x"), turn("1"));
      conversations.remember({ ...kept("x"), owner: userPrincipal("bob") }, turn("2", "1"));
      await write();
      conversations.remember({ ...kept("x"), owner: userPrincipal("bob") }, turn("3", "1"));
      await write();
      expect(ids(await conversations.branch("c", undefined))).toEqual(["1"]);
    });

    test("a purge deletes a kept conversation with its turns", async () => {
      const { conversations, clock, data } = await createScene(backEnd);
      conversations.remember(kept("x"), turn("1"));
      expect(await conversations.purge(clock.now() + 1)).toBe(1);
      expect(await countIn(data, "turns")).toBe(0);
    });
  });
}
