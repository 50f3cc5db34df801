import { expect, test } from "bun:test";
import { ADMIN, type Principal, userPrincipal } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, openNew, type TestStoreOptions } from "./back-end.ts";

/** Defines the tests of the quota of conversations. */
export function testConversationQuota(backEnd: BackEnd): void {
  const openStore = (options?: TestStoreOptions) => openNew(backEnd, options);

  const QUOTA = 100_000;
  const TURN = 10_000;
  /** A conversation of one turn counts for a KB more than its texts. */
  const FIT = Math.floor(QUOTA / (TURN + 1024));

  async function scene(quota = QUOTA) {
    const clock = createFakeClock();
    const options = { now: clock.now, after: clock.after };
    const { conversations, users } = await openStore({ ...options, conversationQuotaBytes: quota });
    await users.add([newUser("ann"), newUser("bob")]);
    let turns = 0;
    /** Adds a turn to the conversation, a second after the last one. */
    const add = async (owner: Principal, id: string, length = TURN) => {
      const turn = {
        id: `turn ${++turns}`,
        parent: undefined,
        question: "q",
        answer: "x".repeat(length - 1),
      };
      conversations.remember({ id, owner, agent: "x", kept: true, model: "m" }, turn);
      clock.advance(1_000);
      await conversations.purge(0);
    };
    const kept = async (ids: string[]) => {
      const found = await Promise.all(ids.map((id) => conversations.find(id)));
      return ids.filter((_, index) => found[index] !== undefined);
    };
    return { conversations, users, add, kept };
  }

  const named = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

  test.each([userPrincipal("ann"), ADMIN])(
    "beyond the quota the conversations that were not used for the longest time are deleted: %p",
    async (owner) => {
      const { conversations, add, kept } = await scene();
      const ids = named("c", FIT);
      for (const id of ids) await add(owner, id);
      await add(userPrincipal("bob"), "bob's");
      expect(await kept(ids)).toEqual(ids);
      await add(owner, "c0", 100);
      await add(owner, "new");
      // Room is made for a tenth of the quota.
      expect(await kept([...ids, "new", "bob's"])).toEqual(["c0", ...ids.slice(3), "new", "bob's"]);
      expect(await conversations.branch("c1", undefined)).toBeUndefined();
      expect(await conversations.branch("c0", undefined)).toHaveLength(1);
    },
  );

  test("a conversation that alone is larger than the quota stays until another one is written", async () => {
    const { add, kept } = await scene();
    const ann = userPrincipal("ann");
    await add(ann, "small");
    await add(ann, "large", QUOTA + 1);
    expect(await kept(["small", "large"])).toEqual(["large"]);
    await add(ann, "next");
    expect(await kept(["large", "next"])).toEqual(["next"]);
  });

  test("turns of one conversation add up, and the conversations that were there before are counted too", async () => {
    const { add, kept } = await scene();
    const ann = userPrincipal("ann");
    await add(ann, "old");
    for (let turn = 0; turn < 9; turn++) await add(ann, "long", TURN + 500);
    expect(await kept(["old", "long"])).toEqual(["long"]);
  });

  test("deleted conversations leave room for others", async () => {
    const { conversations, add, kept } = await scene();
    const ann = userPrincipal("ann");
    for (const id of named("a", FIT)) await add(ann, id);
    await conversations.purge(Number.MAX_SAFE_INTEGER);
    const ids = named("b", FIT);
    for (const id of ids) await add(ann, id);
    expect(await kept(ids)).toEqual(ids);
  });
}
