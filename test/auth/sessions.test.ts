import { describe, expect, test } from "bun:test";
import { createSessions, type SessionOwner } from "../../src/auth/sessions.ts";

const ADMIN: SessionOwner = { kind: "admin" };
const user = (name: string): SessionOwner => ({ kind: "user", id: name, tokenHash: `hash-of-${name}` });
const PLAIN = { secure: false };

function scene(options: { allMax?: number; ownerMax?: number } = {}) {
  const clock = { now: 1_000_000 };
  const sessions = createSessions({ lastsMs: 60_000, port: () => 8080, now: () => clock.now, ...options });
  const shown = (cookie: string, more: Record<string, string> = {}) =>
    sessions.read(new Headers({ cookie, ...more }));
  const begin = (owner: SessionOwner) => {
    const { session, cookie } = sessions.begin(owner, PLAIN);
    return { session, cookie: cookie.split(";")[0] ?? "" };
  };
  return { clock, sessions, shown, begin };
}

describe("a cookie", () => {
  test("a session cookie is random, named after the port, and not for scripts, other sites or plain connections", () => {
    const { sessions } = scene();
    const { cookie } = sessions.begin(ADMIN, { secure: true });
    expect(cookie).toMatch(
      /^__Host-session-8080=[\w-]{43}; Path=\/; Max-Age=60; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(sessions.begin(ADMIN, PLAIN).cookie).not.toContain("Secure");
    expect(sessions.begin(ADMIN, PLAIN).cookie).not.toBe(cookie);
    expect(sessions.clearingCookie(PLAIN)).toBe(
      "session-8080=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    );
    expect(sessions.clearingCookie({ secure: true })).toBe(
      "__Host-session-8080=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
    );
  });

  test("a session over TLS counts only by the cookie with the prefix, which no other host can set", () => {
    const { sessions, shown, begin } = scene();
    const { session, cookie } = sessions.begin(ADMIN, { secure: true });
    const [secure = ""] = cookie.split(";");
    const planted = begin(user("mallory"));
    expect(shown(secure)).toBe(session);
    expect(shown(`${planted.cookie}; ${secure}`)).toBe(session);
    expect(shown(secure.replace("__Host-", ""))).toBe("ended");
    expect(shown(`__Host-${planted.cookie}`)).toBe("ended");
    expect(shown(planted.cookie)).toBe(planted.session);
    expect(shown(secure.replace("__Host-", "__host-"))).toBeUndefined();
  });

  test("a session cookie among others counts until its session ends or expires", () => {
    const { clock, sessions, shown, begin } = scene();
    const ann = begin(user("ann"));
    const admin = begin(ADMIN);
    expect(shown(`a=b; ${ann.cookie}; c`)).toBe(ann.session);
    expect(shown(admin.cookie)).toBe(admin.session);
    expect(sessions.isAlive(ann.session)).toBe(true);
    sessions.end(ann.session);
    sessions.end(ann.session);
    expect(shown(ann.cookie)).toBe("ended");
    expect(sessions.isAlive(ann.session)).toBe(false);
    clock.now += 59_999;
    expect(shown(admin.cookie)).toBe(admin.session);
    clock.now += 1;
    expect(shown(admin.cookie)).toBe("ended");
    expect(sessions.isAlive(admin.session)).toBe(false);
  });

  test("a cookie of another name or port is ignored, and an invented session cookie counts as ended", () => {
    const { shown, begin } = scene();
    const { cookie, session } = begin(ADMIN);
    const [, id = ""] = cookie.split("=");
    expect(shown("")).toBeUndefined();
    expect(shown(`session-80=${id}; xsession-8080=${id}; session-8080x=${id}`)).toBeUndefined();
    for (const made of ["", "x", "A".repeat(43), `${id}A`, `"${id}"`])
      expect(shown(`session-8080=${made}`)).toBe("ended");
    expect(shown(`${cookie}; ${cookie}`)).toBe(session);
  });

  test("a session cookie beside another of its name, which a neighbouring site can set, does not count", () => {
    const { shown, begin } = scene();
    const [own, other] = [begin(ADMIN), begin(user("mallory"))];
    expect(shown(`${own.cookie}; ${other.cookie}`)).toBe("ended");
  });

  test("a session cookie sent by a page of another site is foreign, whether its session exists or not", () => {
    const { shown, begin } = scene();
    const { cookie } = begin(ADMIN);
    expect(shown(cookie, { "sec-fetch-site": "cross-site" })).toBe("foreign");
    expect(shown("session-8080=x", { "sec-fetch-site": "cross-site" })).toBe("foreign");
    expect(shown("other=x", { "sec-fetch-site": "cross-site" })).toBeUndefined();
  });
});

describe("the sessions", () => {
  test("the sessions of one owner are limited, and their oldest one is ended", () => {
    const { sessions, begin } = scene({ ownerMax: 2 });
    const [first, second, third] = [begin(user("ann")), begin(user("ann")), begin(user("ann"))];
    const admin = begin(ADMIN);
    const alive = [first, second, third, admin].map(({ session }) => sessions.isAlive(session));
    expect(alive).toEqual([false, true, true, true]);
  });

  test("the number of sessions is limited, and the oldest one is ended", () => {
    const { sessions, begin } = scene({ allMax: 3 });
    const begun = ["a", "b", "c", "d"].map((name) => begin(user(name)).session);
    expect(begun.map(sessions.isAlive)).toEqual([false, true, true, true]);
    expect(sessions.size).toBe(3);
  });

  test("an expired session is forgotten at the next sign-in", () => {
    const { clock, sessions, begin } = scene();
    begin(user("a"));
    clock.now += 60_000;
    begin(user("b"));
    expect(sessions.size).toBe(1);
  });

  test("the sessions do not hold their cookies", () => {
    const { sessions, begin } = scene();
    const { cookie, session } = begin(ADMIN);
    expect(JSON.stringify([sessions, session])).not.toContain(cookie.split("=")[1] ?? "");
  });
});
