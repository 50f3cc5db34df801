import { describe, expect, test } from "bun:test";
import type { StoredSession } from "../../../src/store/store.ts";
import { failureOf } from "../../support/store.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, countIn } from "./back-end.ts";

const LIMITS = { ownerMax: 2, allMax: 3 };

const session = (hash: string, userId: string | null, fields: Partial<StoredSession> = {}) => ({
  ...{ hash, userId, keyHash: `key of ${hash}`, isSecure: false, expiresAt: 1_000 },
  ...{ address: null, userAgent: null },
  ...fields,
});

/** Defines the tests of the sessions and the codes that sign the administrator in. */
export function testSessions(backEnd: BackEnd): void {
  async function scene() {
    const clock = { now: 10 };
    const data = await backEnd.create();
    const open = () => data.open({ now: () => clock.now });
    const store = await open();
    await store.users.add([newUser("ann"), newUser("bob")]);
    return { ...store, clock, data, open };
  }

  describe("sessions", () => {
    test("a session is found by its hash only, also by another process, until it is ended", async () => {
      const { sessions, open } = await scene();
      const ann = session("a", "ann", { isSecure: true, expiresAt: 1_900_000_000_000 });
      const admin = session("b", null);
      expect(await sessions.add(ann, LIMITS)).toEqual([]);
      expect(await sessions.add(admin, LIMITS)).toEqual([]);
      const other = (await open()).sessions;
      expect(await other.find("a")).toEqual(ann);
      expect(await other.find("b")).toEqual(admin);
      expect(await other.find("A")).toBeUndefined();
      expect(await other.known(["b", "c", "a"])).toEqual(new Set(["a", "b"]));
      expect(await other.known([])).toEqual(new Set());
      expect([await other.end("a"), await sessions.end("a")]).toEqual([true, false]);
      expect(await sessions.find("a")).toBeUndefined();
      expect(await sessions.known(["a", "b"])).toEqual(new Set(["b"]));
    });

    test("sessions are listed newest first, of everyone, a user or the admin, with where they began", async () => {
      const { sessions, clock } = await scene();
      const begun = { address: "192.0.2.7", userAgent: "Firefox" };
      await sessions.add(session("a", "ann", begun), { ownerMax: 9, allMax: 9 });
      clock.now = 11;
      await sessions.add(session("b", null), { ownerMax: 9, allMax: 9 });
      await sessions.add(session("c", "ann", { isSecure: true }), { ownerMax: 9, allMax: 9 });
      const a = { ...session("a", "ann", begun), createdAt: 10 };
      const b = { ...session("b", null), createdAt: 11 };
      const c = { ...session("c", "ann", { isSecure: true }), createdAt: 11 };
      expect(await sessions.list("everyone")).toEqual([c, b, a]);
      expect(await sessions.list("ann")).toEqual([c, a]);
      expect(await sessions.list(null)).toEqual([b]);
      expect(await sessions.list("bob")).toEqual([]);
    });

    test("at the limit of an owner, their oldest sessions give way, and are named", async () => {
      const { sessions } = await scene();
      for (const hash of ["1", "2"]) await sessions.add(session(hash, "ann"), LIMITS);
      await sessions.add(session("admin", null), LIMITS);
      expect(await sessions.add(session("3", "ann"), LIMITS)).toEqual(["1"]);
      expect(await sessions.add(session("4", "ann"), { ownerMax: 1, allMax: 9 })).toEqual(["2", "3"]);
      expect(await sessions.known(["1", "2", "3", "4", "admin"])).toEqual(new Set(["4", "admin"]));
    });

    test("the sessions of the admin have the same limit as those of a user", async () => {
      const { sessions } = await scene();
      for (const hash of ["1", "2"]) await sessions.add(session(hash, null), LIMITS);
      expect(await sessions.add(session("3", null), LIMITS)).toEqual(["1"]);
    });

    test("at the limit of all sessions, the oldest ones give way, whoever has them", async () => {
      const { sessions } = await scene();
      await sessions.add(session("a", "ann"), LIMITS);
      await sessions.add(session("b", "bob"), LIMITS);
      await sessions.add(session("c", null), LIMITS);
      expect(await sessions.add(session("d", "bob"), LIMITS)).toEqual(["a"]);
    });

    test("expired sessions are deleted at the next sign-in, before any other gives way", async () => {
      const { sessions, clock, data } = await scene();
      for (const hash of ["1", "2"]) await sessions.add(session(hash, "ann", { expiresAt: 20 }), LIMITS);
      clock.now = 19;
      expect(await sessions.known(["1", "2"])).toEqual(new Set(["1", "2"]));
      clock.now = 20;
      expect(await sessions.add(session("3", "ann"), LIMITS)).toEqual([]);
      expect(await countIn(data, "sessions")).toBe(1);
    });

    test("a session ends with its user, and none begins for a user who does not exist", async () => {
      const { sessions, users } = await scene();
      await sessions.add(session("a", "ann"), LIMITS);
      await sessions.add(session("b", "bob"), LIMITS);
      await users.delete("ann");
      expect(await sessions.known(["a", "b"])).toEqual(new Set(["b"]));
      expect(await failureOf(() => sessions.add(session("c", "ann"), LIMITS))).toBeInstanceOf(Error);
      expect(await sessions.find("c")).toBeUndefined();
    });

    test("sessions that begin at the same time keep to the limits", async () => {
      const { sessions, data } = await scene();
      const begun = Array.from({ length: 8 }, (_, nth) => sessions.add(session(`${nth}`, "ann"), LIMITS));
      const given = (await Promise.all(begun)).flat();
      expect(new Set(given).size).toBe(6);
      expect(await countIn(data, "sessions")).toBe(2);
    });
  });

  describe("sign-in codes", () => {
    test("a code can be used once, by any process, before it expires", async () => {
      const { sessions, clock, open } = await scene();
      await sessions.addCode("late", 20);
      await sessions.addCode("timely", 21);
      clock.now = 20;
      const other = (await open()).sessions;
      expect([await other.useCode("other"), await other.useCode("late")]).toEqual([false, false]);
      const uses = [other, sessions, other].map(({ useCode }) => useCode("timely"));
      expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1);
    });

    test("expired codes are deleted with the next one, and all codes at once", async () => {
      const { sessions, clock, data } = await scene();
      await sessions.addCode("a", 20);
      clock.now = 20;
      await sessions.addCode("b", 30);
      expect(await countIn(data, "sign_in_codes")).toBe(1);
      await sessions.clearCodes();
      expect(await sessions.useCode("b")).toBe(false);
    });
  });
}
