import { expect, test } from "bun:test";
import { watchUsers } from "../../src/auth/user-watch.ts";
import { openTestStore } from "../support/store.ts";

/** Watches ann, bob and cem. The users in `open` have something open. `pass` runs one check. */
async function scene({ failing = false } = {}) {
  const { users } = openTestStore();
  await users.add(["ann", "bob", "cem"].map((id) => ({ id, tokenHash: id, sealedToken: Buffer.of() })));
  const open = new Set(["ann", "bob"]);
  const revoked: string[] = [];
  const errors: unknown[] = [];
  const store = { failing, lookUps: 0 };
  let run = () => {};
  const stop = watchUsers({
    users: {
      find(id) {
        store.lookUps++;
        return store.failing ? Promise.reject(new Error("disk gone")) : users.find(id);
      },
    },
    open: () => open,
    revoke(id) {
      revoked.push(id);
      open.delete(id);
    },
    onError: (error) => errors.push(error),
    every(ms, again) {
      expect(ms).toBe(1_000);
      run = again;
      return () => {
        run = () => {};
      };
    },
  });
  const pass = async () => {
    run();
    await new Promise(setImmediate);
  };
  return { users, open, revoked, errors, store, pass, stop };
}

test("a user disabled or deleted by another process loses what they have open at the next check", async () => {
  const { users, revoked, pass } = await scene();
  await pass();
  expect(revoked).toEqual([]);
  await users.change("ann", { disabledAt: 1 });
  await users.change("bob", { maxParallel: 1 });
  await users.delete("cem");
  await pass();
  expect(revoked).toEqual(["ann"]);
  await users.delete("bob");
  await pass();
  expect(revoked).toEqual(["ann", "bob"]);
});

test("a user without anything open is not looked up", async () => {
  const { open, store, pass } = await scene();
  await pass();
  expect(store.lookUps).toBe(2);
  open.clear();
  await pass();
  expect(store.lookUps).toBe(2);
});

test("a failing store shuts nobody out and is reported once, and the watch continues", async () => {
  const { users, revoked, errors, store, pass } = await scene({ failing: true });
  await users.delete("ann");
  await pass();
  await pass();
  expect(revoked).toEqual([]);
  expect(errors).toHaveLength(1);
  store.failing = false;
  await pass();
  expect(revoked).toEqual(["ann"]);
});

test("a stopped watch checks nobody", async () => {
  const { users, revoked, pass, stop } = await scene();
  await users.delete("ann");
  stop();
  await pass();
  expect(revoked).toEqual([]);
});
