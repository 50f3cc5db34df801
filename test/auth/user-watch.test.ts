import { expect, test } from "bun:test";
import { watchUsers } from "../../src/auth/user-watch.ts";
import type { UserStore } from "../../src/store/store.ts";
import { openTestStore } from "../support/store.ts";

const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * Watches ann and bob, who have an ask open, and cem, who has none. Their tokens' hashes are their names.
 * `pass` runs the check of each second.
 */
async function scene() {
  const { users } = openTestStore();
  await users.add(["ann", "bob", "cem"].map((id) => ({ id, tokenHash: id, sealedToken: Buffer.of() })));
  const open: [token: string, model: string | undefined][] = [
    ["ann", "m"],
    ["bob", undefined],
  ];
  const ended: string[] = [];
  const errors: unknown[] = [];
  const store = { failing: false, lookUps: 0, waiting: undefined as Promise<void> | undefined };
  const clock = { now: 1_000 };
  let run = () => {};
  const watch = watchUsers({
    users: {
      async findByTokenHash(hash): ReturnType<UserStore["findByTokenHash"]> {
        store.lookUps++;
        await store.waiting;
        if (store.failing) throw new Error("disk gone");
        return users.findByTokenHash(hash);
      },
    },
    open: () =>
      open.map(([tokenHash, model]) => ({
        tokenHash,
        model,
        end({ code, logAs }) {
          ended.push([tokenHash, code, logAs].filter(Boolean).join(" "));
          open.splice(
            open.findIndex(([token]) => token === tokenHash),
            1,
          );
        },
      })),
    mayUse: ({ models }, model) => models?.includes(model) ?? true,
    onError: (error) => errors.push(error),
    every(ms, again) {
      // The look-ups too must be done within a second.
      expect(ms).toBe(900);
      run = again;
      return () => {
        run = () => {};
      };
    },
    now: () => clock.now,
  });
  const settle = () => new Promise(setImmediate);
  const pass = async () => {
    run();
    await settle();
  };
  return { users, open, ended, errors, store, clock, watch, pass, settle };
}

test("an ask ends at the next check when another process disables or deletes its user", async () => {
  const { users, ended, pass } = await scene();
  await pass();
  expect(ended).toEqual([]);
  await users.change("ann", { disabledAt: 1 });
  await users.change("bob", { maxParallel: 1 });
  await users.delete("cem");
  await pass();
  expect(ended).toEqual(["ann key_unknown key_disabled"]);
  await users.delete("bob");
  await pass();
  expect(ended).toEqual(["ann key_unknown key_disabled", "bob key_unknown key_revoked"]);
});

test("an ask ends when its own token ends: rotated away at once, or by the time of its grace", async () => {
  const { users, ended, clock, pass } = await scene();
  await users.rotate("ann", { tokenHash: "ann 2", sealedToken: Buffer.of() }, NEVER - 1);
  await pass();
  expect(ended).toEqual([]);
  clock.now = NEVER;
  await pass();
  expect(ended).toEqual(["ann key_unknown key_expired"]);
  await users.rotate("bob", { tokenHash: "bob 2", sealedToken: Buffer.of() }, 0);
  await pass();
  expect(ended.at(-1)).toBe("bob key_unknown key_revoked");
});

test("an ask with the new token goes on when the old one ends", async () => {
  const { users, open, ended, pass } = await scene();
  await users.rotate("ann", { tokenHash: "ann 2", sealedToken: Buffer.of() }, 0);
  open.push(["ann 2", "m"]);
  await pass();
  expect(ended).toEqual(["ann key_unknown key_revoked"]);
  expect(open).toContainEqual(["ann 2", "m"]);
});

test("an ask ends when its user expires, in the past or by the clock", async () => {
  const { users, ended, clock, pass } = await scene();
  await users.change("ann", { expiresAt: 500 });
  await users.change("bob", { expiresAt: 2_000 });
  await pass();
  expect(ended).toEqual(["ann key_unknown key_expired"]);
  clock.now = 2_000;
  await pass();
  expect(ended).toEqual(["ann key_unknown key_expired", "bob key_unknown key_expired"]);
});

test("an ask ends when its user may no longer use its model, and one without a model yet does not", async () => {
  const { users, ended, pass } = await scene();
  for (const id of ["ann", "bob"]) await users.change(id, { models: ["m", "other"] });
  await pass();
  expect(ended).toEqual([]);
  for (const id of ["ann", "bob"]) await users.change(id, { models: ["other"] });
  await pass();
  expect(ended).toEqual(["ann model_not_allowed"]);
});

test("each token is looked up once, however many asks it has, and one without asks is not", async () => {
  const { open, store, pass } = await scene();
  open.push(["ann", "m"], ["ann", "other"]);
  await pass();
  expect(store.lookUps).toBe(2);
  open.length = 0;
  await pass();
  expect(store.lookUps).toBe(2);
});

test("a failing store shuts nobody out and is reported once, and the watch continues", async () => {
  const { users, ended, errors, store, pass } = await scene();
  store.failing = true;
  await users.delete("ann");
  await pass();
  await pass();
  expect(ended).toEqual([]);
  expect(errors).toHaveLength(1);
  store.failing = false;
  await pass();
  expect(ended).toEqual(["ann key_unknown key_revoked"]);
});

test("a change of this process takes effect without waiting, also while a check runs", async () => {
  const { users, ended, store, watch, settle } = await scene();
  await users.delete("bob");
  watch.check();
  await settle();
  expect(ended).toEqual(["bob key_unknown key_revoked"]);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.waiting = promise;
  watch.check();
  watch.check();
  store.waiting = undefined;
  await users.delete("ann");
  resolve();
  await settle();
  expect(ended.at(-1)).toBe("ann key_unknown key_revoked");
});

test("a stopped watch checks nobody", async () => {
  const { users, ended, pass, watch } = await scene();
  await users.delete("ann");
  watch.stop();
  await pass();
  expect(ended).toEqual([]);
});
