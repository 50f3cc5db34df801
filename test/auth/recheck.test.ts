import { expect, test } from "bun:test";
import { type Caller, type Callers, createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { createFakeClock } from "../support/clock.ts";
import { failureOf, openTestStore } from "../support/store.ts";

const token = (text: string) => ({ tokenHash: hashSecret(text), sealedToken: Buffer.of() });

/** Ann's token is "ann-token", the admin key "admin-key". */
async function scene() {
  const clock = createFakeClock();
  const { users } = openTestStore({ now: clock.now });
  await users.add([{ id: "ann", ...token("ann-token") }]);
  const callers = createCallers({ adminKey: createSecret("admin-key"), users, now: clock.now });
  return { callers, clock, users };
}

/** Checks the caller as a route does that has waited for the body. */
async function recheck(callers: Callers, headers: Headers, caller: Caller) {
  if (!callers.isCurrent(caller)) await callers.identify(headers);
}

test.each(["ann-token", "admin-key"])("%p is still valid when it is checked again", async (key) => {
  const { callers } = await scene();
  const headers = new Headers({ authorization: key });
  await recheck(callers, headers, await callers.identify(headers));
});

test("a token that was disabled in the meantime is refused for the same reason as in a new request", async () => {
  const { callers, users, clock } = await scene();
  const headers = new Headers({ authorization: "ann-token" });
  const caller = await callers.identify(headers);
  await users.change("ann", { disabledAt: clock.now() });
  callers.forget("ann");
  const error = await failureOf(() => recheck(callers, headers, caller));
  expect(error).toMatchObject({ code: "key_unknown", logAs: "key_disabled" });
});

test("a request with two tokens of a user passes while one of them is valid", async () => {
  const { callers, users, clock } = await scene();
  await users.rotate("ann", token("newer"), clock.now() + 1_000);
  const headers = new Headers({ authorization: "ann-token", "x-api-key": "newer" });
  const caller = await callers.identify(headers);
  clock.advance(2_000);
  await recheck(callers, headers, caller);
});
