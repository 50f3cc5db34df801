import { describe, expect, test } from "bun:test";
import { createAgentKeys } from "../../src/auth/agent-keys.ts";
import { createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { AppError, DatabaseAway } from "../../src/errors.ts";
import { userPrincipal } from "../../src/principal.ts";
import { createFakeClock } from "../support/clock.ts";
import { failureOf, openTestStore } from "../support/store.ts";

const GRACE_MS = 300_000;

/** Returns callers and agent keys over a store that can be away. */
async function scene(graceMs = GRACE_MS, failure = new Error("away")) {
  const clock = createFakeClock();
  const { users, agentKeys } = openTestStore();
  const store = { isAway: false, waiting: undefined as Promise<void> | undefined };
  const whenThere = <Value>(run: () => Promise<Value>) => (store.isAway ? Promise.reject(failure) : run());
  for (const id of ["ann", "bob"])
    await users.add([{ id, tokenHash: hashSecret(`token of ${id}`), sealedToken: Buffer.of() }]);
  const shaky = { ...users, findByTokenHash: (hash: string) => whenThere(() => users.findByTokenHash(hash)) };
  const callers = createCallers({ adminKey: createSecret("k"), users: shaky, graceMs, now: clock.now });
  const keys = createAgentKeys({
    main: createSecret("main"),
    store: {
      ...agentKeys,
      async findByHash(hash) {
        const found = await whenThere(() => agentKeys.findByHash(hash));
        await store.waiting;
        return found;
      },
    },
    ...{ users, graceMs, now: clock.now },
  });
  const identify = async (id: string) => {
    const caller = await callers.identify(new Headers({ authorization: `token of ${id}` }));
    return caller.principal;
  };
  return { clock, store, users, agentKeys, keys, identify, forget: callers.forget };
}

const codeOf = async (run: () => unknown) => {
  const error = await failureOf(run);
  return error instanceof AppError ? error.code : error;
};

describe("while the store is away", () => {
  test("a user who was found counts for the time of grace, and others do not", async () => {
    const { clock, store, identify } = await scene();
    expect(await identify("ann")).toEqual(userPrincipal("ann"));
    store.isAway = true;
    expect(await codeOf(() => identify("bob"))).toBe("verify_failed");
    clock.advance(GRACE_MS - 1);
    expect(await identify("ann")).toEqual(userPrincipal("ann"));
    clock.advance(1);
    expect(await codeOf(() => identify("ann"))).toBe("verify_failed");
    store.isAway = false;
    expect(await identify("ann")).toEqual(userPrincipal("ann"));
  });

  test("a user who was deleted before does not count", async () => {
    const { clock, store, users, identify } = await scene();
    await identify("ann");
    await users.delete("ann");
    clock.advance(1_000);
    expect(await codeOf(() => identify("ann"))).toBe("key_unknown");
    store.isAway = true;
    expect(await codeOf(() => identify("ann"))).toBe("verify_failed");
  });

  test("a user counts for the time of grace if this server has changed another one, who does not", async () => {
    const { clock, store, identify, forget } = await scene();
    await identify("ann");
    await identify("bob");
    forget("bob");
    clock.advance(1_000);
    store.isAway = true;
    expect(await identify("ann")).toEqual(userPrincipal("ann"));
    expect(await codeOf(() => identify("bob"))).toBe("verify_failed");
  });

  test("an agent key that was found counts for the time of grace, and a revoked one stays revoked", async () => {
    const { clock, store, keys } = await scene();
    const key = await keys.add({ id: "a", name: "box", models: null });
    const revoked = await keys.add({ id: "b", name: "old", models: null });
    await keys.revoke("b");
    expect(await keys.find(key)).toMatchObject({ id: "a" });
    expect(await keys.find(revoked)).toBe("revoked");
    store.isAway = true;
    clock.advance(GRACE_MS - 1);
    expect(await keys.find(key)).toMatchObject({ id: "a" });
    expect(await keys.find(revoked)).toBe("revoked");
    clock.advance(1);
    expect(await codeOf(() => keys.find(key))).toBe("verify_failed");
  });

  test("an agent key does not count as it was before this server revoked or changed it", async () => {
    const { store, keys } = await scene();
    const revoked = await keys.add({ id: "a", name: "old", models: null });
    const changed = await keys.add({ id: "b", name: "box", models: null });
    for (const key of [revoked, changed]) await keys.find(key);
    await keys.revoke("a");
    await keys.change("b", { priority: 1 });
    store.isAway = true;
    for (const key of [revoked, changed]) expect(await codeOf(() => keys.find(key))).toBe("verify_failed");
  });

  test("a look-up of an agent key that a revocation overtakes neither admits it nor is remembered", async () => {
    const { store, keys } = await scene();
    const key = await keys.add({ id: "a", name: "box", models: null });
    const { promise, resolve } = Promise.withResolvers<void>();
    store.waiting = promise;
    const early = keys.find(key);
    await new Promise(setImmediate);
    store.waiting = undefined;
    await keys.revoke("a");
    resolve();
    expect(await early).toBe("revoked");
    store.isAway = true;
    expect(await keys.find(key)).toBe("revoked");
  });

  test("those who do not count get database_away if the database does not answer", async () => {
    const { store, keys, identify } = await scene(GRACE_MS, new DatabaseAway("no answer"));
    const key = await keys.add({ id: "a", name: "box", models: null });
    store.isAway = true;
    expect(await codeOf(() => identify("bob"))).toBe("database_away");
    expect(await codeOf(() => keys.find(key))).toBe("database_away");
  });

  test("without a time of grace nobody counts", async () => {
    const { clock, store, keys, identify } = await scene(0);
    const key = await keys.add({ id: "a", name: "box", models: null });
    await keys.find(key);
    await identify("ann");
    store.isAway = true;
    clock.advance(1_000);
    expect(await codeOf(() => identify("ann"))).toBe("verify_failed");
    expect(await codeOf(() => keys.find(key))).toBe("verify_failed");
  });
});
