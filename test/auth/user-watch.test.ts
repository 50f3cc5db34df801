import { expect, test } from "bun:test";
import { watchUsers } from "../../src/auth/user-watch.ts";
import { openTestStore } from "../support/store.ts";

/** A watch over ann, bob and cem, of whom `open` have something open; `pass` is one look. */
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

test("a user with something open who was disabled or deleted elsewhere is shut out within a second", async () => {
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

test("nobody is looked up who has nothing open", async () => {
  const { open, store, pass } = await scene();
  await pass();
  expect(store.lookUps).toBe(2);
  open.clear();
  await pass();
  expect(store.lookUps).toBe(2);
});

test("a store that fails shuts nobody out, is told once, and the watch goes on", async () => {
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

test("it ends", async () => {
  const { users, revoked, pass, stop } = await scene();
  await users.delete("ann");
  stop();
  await pass();
  expect(revoked).toEqual([]);
});
