import { expect, test } from "bun:test";
import { type Caller, createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { createFakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

/** Ann's token is "ann-token", the admin key "admin-key". */
async function scene() {
  const clock = createFakeClock();
  const { users } = openTestStore({ now: clock.now });
  await users.add([{ id: "ann", tokenHash: hashSecret("ann-token"), sealedToken: Buffer.of() }]);
  const callers = createCallers({ adminKey: createSecret("admin-key"), users, now: clock.now });
  return { callers, users, clock };
}

test("a user is recalled for a second, until a user is changed or their own time ends", async () => {
  const { callers, users, clock } = await scene();
  const headers = new Headers({ authorization: "ann-token" });
  const isKnown = (caller: Caller) => [callers.recall(headers) === caller, callers.isCurrent(caller)];
  expect(callers.recall(headers)).toBeUndefined();
  const ann = await callers.identify(headers);
  expect(isKnown(ann)).toEqual([true, true]);
  clock.advance(999);
  expect(isKnown(ann)).toEqual([true, true]);
  clock.advance(1);
  expect(isKnown(ann)).toEqual([false, false]);

  const again = await callers.identify(headers);
  expect([isKnown(again), callers.isCurrent(ann)]).toEqual([[true, true], false]);
  callers.forget("ann");
  expect(isKnown(again)).toEqual([false, false]);

  await users.change("ann", { expiresAt: clock.now() + 500 });
  const last = await callers.identify(headers);
  expect(isKnown(last)).toEqual([true, true]);
  clock.advance(500);
  expect(isKnown(last)).toEqual([false, false]);
});

test("the administrator and callers with several keys are not recalled, but the admin key stays current", async () => {
  const { callers } = await scene();
  const admin = new Headers({ authorization: "admin-key" });
  const caller = await callers.identify(admin);
  expect([callers.recall(admin), callers.isCurrent(caller)]).toEqual([undefined, true]);
  await callers.identify(new Headers({ authorization: "ann-token" }));
  expect(callers.recall(new Headers({ authorization: "ann-token", "x-api-key": "other" }))).toBeUndefined();
  expect(callers.recall(new Headers())).toBeUndefined();
});
