import { describe, expect, test } from "bun:test";
import {
  createSessions,
  type SessionOwner,
  type SessionsOptions,
} from "../../../src/auth/sessions/sessions.ts";
import { newUser } from "../../store/rows.ts";
import { createFakeClock } from "../../support/clock.ts";
import { failureOf, openTestStore } from "../../support/store.ts";

const ADMIN: SessionOwner = { kind: "admin" };
const user = (name: string): SessionOwner => ({ kind: "user", id: name, tokenHash: `hash of ${name}` });
const PLAIN = { secure: false };
const LASTS_MS = 60_000;

/** The sessions of a server, and those of others on the same store. */
async function scene(options: Partial<SessionsOptions> = {}) {
  const clock = createFakeClock();
  const { users, sessions: store } = openTestStore({ now: clock.now });
  await users.add(["ann", "bob", "cem", "mallory"].map((id) => newUser(id)));
  const watched = { isAway: false, reads: 0, waiting: undefined as Promise<void> | undefined };
  const ended: string[] = [];
  const shaky: SessionsOptions["store"] = {
    ...store,
    async find(hash) {
      watched.reads++;
      if (watched.isAway) throw new Error("away");
      const found = await store.find(hash);
      await watched.waiting;
      return found;
    },
    known: (hashes) => (watched.isAway ? Promise.reject(new Error("away")) : store.known(hashes)),
  };
  const start = (more: Partial<SessionsOptions> = {}) =>
    createSessions({
      ...{ store: shaky, adminKey: "admin-key", lastsMs: LASTS_MS, label: () => "8080", now: clock.now },
      onEnd: (hashes) => ended.push(...hashes),
      ...options,
      ...more,
    });
  const sessions = start();
  const shown = (cookie: string, more: Record<string, string> = {}, at = sessions) =>
    at.read(new Headers({ cookie, ...more }));
  const begin = async (owner: SessionOwner) => {
    const { session, cookie } = await sessions.begin(owner, PLAIN);
    return { session, cookie: cookie.split(";")[0] ?? "" };
  };
  return { clock, users, store, watched, ended, start, sessions, shown, begin };
}

describe("a cookie", () => {
  test("a session cookie is random, named after the server, and not for scripts, other sites or plain connections", async () => {
    const { sessions } = await scene();
    const { cookie } = await sessions.begin(ADMIN, { secure: true });
    expect(cookie).toMatch(
      /^__Host-session-8080=[\w-]{43}; Path=\/; Max-Age=60; Secure; HttpOnly; SameSite=Strict$/,
    );
    const plain = (await sessions.begin(ADMIN, PLAIN)).cookie;
    expect(plain).not.toContain("Secure");
    expect((await sessions.begin(ADMIN, PLAIN)).cookie).not.toBe(plain);
    expect(sessions.clearingCookie(PLAIN)).toBe(
      "session-8080=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    );
    expect(sessions.clearingCookie({ secure: true })).toBe(
      "__Host-session-8080=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
    );
  });

  test("a session over TLS counts only by the cookie with the prefix, which no other host can set", async () => {
    const { sessions, shown, begin } = await scene();
    const { session, cookie } = await sessions.begin(ADMIN, { secure: true });
    const [secure = ""] = cookie.split(";");
    const planted = await begin(user("mallory"));
    expect(await shown(secure)).toEqual(session);
    expect(await shown(`${planted.cookie}; ${secure}`)).toEqual(session);
    expect(await shown(secure.replace("__Host-", ""))).toBe("ended");
    expect(await shown(`__Host-${planted.cookie}`)).toBe("ended");
    expect(await shown(planted.cookie)).toEqual(planted.session);
    expect(await shown(secure.replace("__Host-", "__host-"))).toBeUndefined();
  });

  test("a session cookie among others counts until its session ends or expires", async () => {
    const { clock, sessions, shown, begin, ended } = await scene();
    const ann = await begin(user("ann"));
    const admin = await begin(ADMIN);
    expect(await shown(`a=b; ${ann.cookie}; c`)).toEqual(ann.session);
    expect(await shown(admin.cookie)).toEqual(admin.session);
    expect(await sessions.endedOf([ann.session, admin.session])).toEqual([]);
    await sessions.end(ann.session);
    expect(ended).toEqual([ann.session.hash]);
    expect(await shown(ann.cookie)).toBe("ended");
    expect(await sessions.endedOf([ann.session, admin.session])).toEqual([ann.session]);
    clock.advance(LASTS_MS - 1);
    expect(await shown(admin.cookie)).toEqual(admin.session);
    clock.advance(1);
    expect(await shown(admin.cookie)).toBe("ended");
    expect(await sessions.endedOf([admin.session])).toEqual([admin.session]);
  });

  test("a cookie of another name or port is ignored, and an invented session cookie counts as ended", async () => {
    const { shown, begin } = await scene();
    const { cookie, session } = await begin(ADMIN);
    const [, id = ""] = cookie.split("=");
    expect(await shown("")).toBeUndefined();
    expect(await shown(`session-80=${id}; xsession-8080=${id}; session-8080x=${id}`)).toBeUndefined();
    for (const made of ["", "x", "A".repeat(43), `${id}A`, `"${id}"`])
      expect(await shown(`session-8080=${made}`)).toBe("ended");
    expect(await shown(`${cookie}; ${cookie}`)).toEqual(session);
  });

  test("a session cookie beside another of its name, which a neighbouring site can set, does not count", async () => {
    const { shown, begin } = await scene();
    const [own, other] = [await begin(ADMIN), await begin(user("mallory"))];
    expect(await shown(`${own.cookie}; ${other.cookie}`)).toBe("ended");
  });

  test("a session cookie sent by a page of another site is foreign, whether its session exists or not", async () => {
    const { shown, begin } = await scene();
    const { cookie } = await begin(ADMIN);
    expect(await shown(cookie, { "sec-fetch-site": "cross-site" })).toBe("foreign");
    expect(await shown("session-8080=x", { "sec-fetch-site": "cross-site" })).toBe("foreign");
    expect(await shown("other=x", { "sec-fetch-site": "cross-site" })).toBeUndefined();
  });
});

describe("the sessions", () => {
  test("the sessions of one owner are limited, and their oldest one is ended at once", async () => {
    const { sessions, shown, begin, ended } = await scene({ ownerMax: 2 });
    const first = await begin(user("ann"));
    expect(await shown(first.cookie)).toEqual(first.session);
    const others = [await begin(user("ann")), await begin(user("ann")), await begin(ADMIN)];
    expect(await shown(first.cookie)).toBe("ended");
    expect(await sessions.endedOf([first, ...others].map(({ session }) => session))).toEqual([first.session]);
    expect(ended).toEqual([first.session.hash]);
  });

  test("the number of sessions is limited, and the oldest one is ended", async () => {
    const { sessions, begin } = await scene({ allMax: 3 });
    const begun = [];
    for (const name of ["ann", "bob", "cem", "mallory"]) begun.push((await begin(user(name))).session);
    expect(await sessions.endedOf(begun)).toEqual(begun.slice(0, 1));
  });

  test("neither the sessions nor their store hold the cookies or the admin key", async () => {
    const { sessions, store, begin } = await scene();
    const { cookie, session } = await begin(ADMIN);
    const held = JSON.stringify([sessions, session, await store.find(session.hash)]);
    expect(held).not.toContain(cookie.split("=")[1] ?? "");
    expect(held).not.toContain("admin-key");
  });

  test("two sessions of the admin have nothing in common in the store, by which the key could be guessed", async () => {
    const { store, begin } = await scene();
    const [one, other] = [await begin(ADMIN), await begin(ADMIN)];
    const marks = [await store.find(one.session.hash), await store.find(other.session.hash)];
    expect(marks[0]?.keyHash).not.toBe(marks[1]?.keyHash as string);
  });
});

describe("another server of the same store", () => {
  test("a session counts at a server with the same admin key, and an admin's not at one with another", async () => {
    const { start, shown, begin } = await scene();
    const [ann, admin] = [await begin(user("ann")), await begin(ADMIN)];
    const same = start();
    expect(await shown(admin.cookie, {}, same)).toEqual(admin.session);
    const other = start({ adminKey: "another admin-key" });
    expect(await shown(ann.cookie, {}, other)).toEqual(ann.session);
    expect(await shown(admin.cookie, {}, other)).toBe("ended");
  });

  test("a session that another server ends counts for less than a second, and not after `forget`", async () => {
    const { clock, start, sessions, shown, begin, watched } = await scene();
    const [ann, bob] = [await begin(user("ann")), await begin(user("bob"))];
    const other = start();
    for (const { cookie, session } of [ann, bob]) expect(await shown(cookie, {}, other)).toEqual(session);
    const { reads } = watched;
    clock.advance(999);
    expect(await shown(ann.cookie, {}, other)).toEqual(ann.session);
    expect(watched.reads).toBe(reads);
    await sessions.end(ann.session);
    await sessions.end(bob.session);
    other.forget([bob.session.hash]);
    expect(await shown(bob.cookie, {}, other)).toBe("ended");
    clock.advance(1);
    expect(await shown(ann.cookie, {}, other)).toBe("ended");
  });

  test("after `refresh` every session is looked up again", async () => {
    const { start, sessions, shown, begin } = await scene();
    const ann = await begin(user("ann"));
    const other = start();
    await shown(ann.cookie, {}, other);
    await sessions.end(ann.session);
    other.refresh();
    expect(await shown(ann.cookie, {}, other)).toBe("ended");
  });

  test.each(["end", "refresh"])("a look-up that began before %s is not remembered", async (how) => {
    const { start, sessions, shown, begin, watched } = await scene();
    const ann = await begin(user("ann"));
    const other = start();
    const { promise, resolve } = Promise.withResolvers<void>();
    watched.waiting = promise;
    const early = shown(ann.cookie, {}, other);
    await new Promise(setImmediate);
    watched.waiting = undefined;
    await sessions.end(ann.session);
    if (how === "end") other.forget([ann.session.hash]);
    else other.refresh();
    resolve();
    await early;
    expect(await shown(ann.cookie, {}, other)).toBe("ended");
  });
});

describe("while the store is away", () => {
  test("a session that was found counts for the time of grace, and others do not", async () => {
    const { clock, shown, begin, watched, sessions } = await scene({ graceMs: 5_000 });
    const [ann, bob, cem] = [await begin(user("ann")), await begin(user("bob")), await begin(user("cem"))];
    for (const { cookie } of [ann, cem]) await shown(cookie);
    await sessions.end(cem.session);
    watched.isAway = true;
    for (const { cookie } of [bob, cem])
      expect(await failureOf(() => shown(cookie))).toMatchObject({ code: "verify_failed" });
    clock.advance(4_999);
    expect(await shown(ann.cookie)).toEqual(ann.session);
    clock.advance(1);
    expect(await failureOf(() => shown(ann.cookie))).toMatchObject({ code: "verify_failed" });
    watched.isAway = false;
    expect(await shown(ann.cookie)).toEqual(ann.session);
  });

  test("only the expired ones of the open sessions count as ended", async () => {
    const { clock, sessions, begin, watched } = await scene();
    const early = await begin(user("ann"));
    clock.advance(1);
    const late = await begin(user("ann"));
    watched.isAway = true;
    clock.advance(LASTS_MS - 1);
    expect(await sessions.endedOf([early.session, late.session])).toEqual([early.session]);
  });
});
