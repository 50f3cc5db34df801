import { describe, expect, test } from "bun:test";
import type { StoredPairing } from "../../../src/store/store.ts";
import { failureOf } from "../../support/store.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, countIn } from "./back-end.ts";

const NOTHING = { models: null, priority: null, weight: null, tags: null, ownerId: null, showsName: false };
const MAX = 10;

const pairing = (id: string, fields: Partial<StoredPairing> = {}) => ({
  ...{ id, hash: `hash of ${id}`, name: null, given: NOTHING, expiresAt: 1_900_000_000_000 },
  ...fields,
});

const key = (id: string, name = `name of ${id}`) => ({ id, name, models: null, keyHash: `key of ${id}` });

/** Defines the tests of the codes that give agents their keys. */
export function testPairings(backEnd: BackEnd): void {
  async function scene() {
    const clock = { now: 10 };
    const data = await backEnd.create();
    const open = () => data.open({ now: () => clock.now });
    return { ...(await open()), clock, data, open };
  }

  describe("pairings", () => {
    test("a pairing is found by its hash only, also by another process, and listed without it", async () => {
      const { pairings, open } = await scene();
      const given = { models: ["llama", "qwen"], priority: -5, weight: 2.5, tags: ["home"] };
      const full = { name: "gpu box", given: { ...given, ownerId: "ann", showsName: true } };
      expect(await pairings.add(pairing("b"), MAX)).toBe(true);
      expect(await pairings.add(pairing("a", full), MAX)).toBe(true);
      const { hash: _, ...stored } = pairing("a", full);
      const other = (await open()).pairings;
      expect(await other.find("hash of a")).toEqual(stored);
      expect([await other.find("HASH OF A"), await other.find("a")]).toEqual([undefined, undefined]);
      const { hash: __, ...first } = pairing("b");
      expect(await other.list()).toEqual([first, stored]);
    });

    test("a pairing is redeemed once, whoever tries at the same time, and its key is there then", async () => {
      const { pairings, agentKeys, open, data } = await scene();
      await pairings.add(pairing("a"), MAX);
      const other = (await open()).pairings;
      const tries = Array.from({ length: 6 }, (_, nth) =>
        (nth % 2 ? pairings : other).redeem("hash of a", key(`key ${nth}`)),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await agentKeys.list()).toHaveLength(1);
      expect(await pairings.find("hash of a")).toBeUndefined();
      expect(await countIn(data, "pairings")).toBe(0);
    });

    test("a pairing whose key cannot be added stays as it was", async () => {
      const { pairings, agentKeys } = await scene();
      await agentKeys.add(key("first", "box"));
      await pairings.add(pairing("a"), MAX);
      expect(await failureOf(() => pairings.redeem("hash of a", key("second", "box")))).toBeInstanceOf(Error);
      expect(await agentKeys.list()).toHaveLength(1);
      expect(await pairings.redeem("hash of a", key("second", "box 2"))).toBe(true);
    });

    test("an expired pairing is not found, listed, cancelled or redeemed", async () => {
      const { pairings, agentKeys, clock } = await scene();
      await pairings.add(pairing("a", { expiresAt: 20 }), MAX);
      clock.now = 19;
      expect(await pairings.find("hash of a")).toBeDefined();
      clock.now = 20;
      expect(await pairings.find("hash of a")).toBeUndefined();
      expect(await pairings.list()).toEqual([]);
      expect(await pairings.cancel("a")).toBe(false);
      expect(await pairings.redeem("hash of a", key("a"))).toBe(false);
      expect(await agentKeys.list()).toEqual([]);
    });

    test("a cancelled pairing cannot be redeemed", async () => {
      const { pairings } = await scene();
      await pairings.add(pairing("a"), MAX);
      expect([await pairings.cancel("a"), await pairings.cancel("a")]).toEqual([true, false]);
      expect(await pairings.redeem("hash of a", key("a"))).toBe(false);
    });

    test("there are never more pairings than the limit, and expired ones do not count", async () => {
      const { pairings, clock, open, data } = await scene();
      const other = (await open()).pairings;
      const added = Array.from({ length: 8 }, (_, nth) =>
        (nth % 2 ? pairings : other).add(pairing(`${nth}`, { expiresAt: 20 }), 3),
      );
      expect((await Promise.all(added)).filter(Boolean)).toHaveLength(3);
      clock.now = 20;
      expect(await pairings.add(pairing("late"), 3)).toBe(true);
      expect(await countIn(data, "pairings")).toBe(1);
    });

    test("a key of a pairing for a user who was deleted cannot be added with that owner", async () => {
      const { pairings, users, agentKeys } = await scene();
      await users.add([newUser("ann")]);
      await pairings.add(pairing("a", { given: { ...NOTHING, ownerId: "ann" } }), MAX);
      await users.delete("ann");
      const withOwner = { ...key("a"), ownerId: "ann" };
      expect(await failureOf(() => pairings.redeem("hash of a", withOwner))).toBeInstanceOf(Error);
      expect(await pairings.redeem("hash of a", key("a"))).toBe(true);
      expect(await agentKeys.list()).toMatchObject([{ id: "a", ownerId: null }]);
    });
  });
}
