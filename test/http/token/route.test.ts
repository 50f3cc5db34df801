import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { cookieFor, SAME_ORIGIN } from "../../support/session.ts";
import { addLimitedUser } from "../../support/user-caller.ts";

interface Rotated {
  token: string;
  user_id: string;
}

/** A server with one user, and what the user's programs and browsers do. */
async function scene() {
  const { url } = await startTestServer();
  const user = await addLimitedUser(url, { name: "Ann" });
  const rotate = async (headers: Record<string, string>, body?: object) => {
    const response = await fetch(`${url}/api/token/rotate`, {
      method: "POST",
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Rotated };
  };
  const statusOf = async (headers: Record<string, string>) =>
    (await fetch(`${url}/api/session`, { headers })).status;
  const audit = async () => {
    const response = await fetch(`${url}/admin/audit`, { headers: { authorization: ADMIN_KEY } });
    return ((await response.json()) as { audit: Record<string, unknown>[] }).audit;
  };
  return { url, user, rotate, statusOf, audit };
}

const key = (token: string) => ({ authorization: `Bearer ${token}` });

test("users rotate their own token, and the old one stops working at once", async () => {
  const { user, rotate, statusOf, audit } = await scene();
  const { status, body, headers } = await rotate(key(user.token));
  expect({ status, id: body.user_id }).toEqual({ status: 200, id: user.user_id });
  expect(headers.get("set-cookie")).toBeNull();
  expect([await statusOf(key(user.token)), await statusOf(key(body.token))]).toEqual([401, 200]);
  const [row] = await audit();
  expect(row).toMatchObject({
    ...{
      actor: "user",
      action: "user.rotate",
      target: user.user_id,
      detail: { name: "Ann", grace_seconds: 0 },
    },
  });
  expect(JSON.stringify(row)).not.toContain(body.token);
});

test("the browser that rotates the token stays signed in, and the user's other browsers do not", async () => {
  const { url, user, rotate, statusOf } = await scene();
  const browser = { cookie: await cookieFor(url, user.token), ...SAME_ORIGIN };
  const other = { cookie: await cookieFor(url, user.token), ...SAME_ORIGIN };
  const { status, headers } = await rotate(browser, { grace_seconds: 0 });
  expect(status).toBe(200);
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(cookie).not.toBe(browser.cookie);
  const statuses = [browser, other, { cookie, ...SAME_ORIGIN }].map(statusOf);
  expect(await Promise.all(statuses)).toEqual([401, 401, 200]);
});

test("an old token is valid for the grace period, but cannot take the new one's place", async () => {
  const { user, rotate, statusOf } = await scene();
  const { body } = await rotate(key(user.token), { grace_seconds: 600 });
  expect(await statusOf(key(user.token))).toBe(200);
  const refused = await rotate(key(user.token), {});
  expect(refused).toMatchObject({ status: 403, body: { error: "This token was replaced" } });
  expect(await statusOf(key(body.token))).toBe(200);
  expect((await rotate(key(body.token))).status).toBe(200);
});

test("a session of another site cannot rotate a token", async () => {
  const { url, user, rotate, statusOf } = await scene();
  const cookie = await cookieFor(url, user.token);
  expect((await rotate({ cookie, "sec-fetch-site": "cross-site" })).status).toBe(401);
  expect(await statusOf(key(user.token))).toBe(200);
});

test("the admin key cannot be rotated, and a wrong body changes nothing", async () => {
  const { user, rotate, statusOf, audit } = await scene();
  const before = await audit();
  expect(await rotate(key(ADMIN_KEY))).toMatchObject({ status: 404, body: { error: "No such user" } });
  for (const body of [
    { grace_seconds: -1 },
    { grace_seconds: 604_801 },
    { grace: 5 },
    { grace_seconds: "1" },
  ])
    expect((await rotate(key(user.token), body)).status).toBe(400);
  expect(await statusOf(key(user.token))).toBe(200);
  expect(await audit()).toEqual(before);
});
