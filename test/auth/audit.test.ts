import { describe, expect, test } from "bun:test";
import { createAudit } from "../../src/auth/audit.ts";
import { AppError } from "../../src/errors.ts";
import type { AuditStore } from "../../src/store/store.ts";
import { failureOf, openTestStore } from "../support/store.ts";

const NOTE = { actor: "admin", action: "user.delete", target: "u1", detail: { name: "ann" } } as const;

function scene() {
  const { audit: store } = openTestStore();
  const audit = createAudit({ audit: store, now: () => 1234 });
  const rows = async () => (await store.list({ limit: 9 })).toReversed().map(({ detail }) => detail);
  return { store, audit, rows };
}

/** Returns a store whose writes fail after `count` rows. */
function failingAfter(store: AuditStore, count: number): AuditStore {
  let written = 0;
  return {
    ...store,
    add: (entry) => (written++ < count ? store.add(entry) : Promise.reject(new Error("disk full"))),
  };
}

test("an audit row has all that is known of a change, and null for the rest", async () => {
  const { store, audit } = scene();
  await audit.note({ ...NOTE, address: "192.0.2.1", requestId: "req_1" });
  await audit.note({ actor: "cli", action: "backup" });
  expect(await store.list({ limit: 9 })).toEqual([
    {
      ...{ seq: 2, at: 1234, actor: "cli", action: "backup", target: null, detail: null },
      ...{ address: null, requestId: null },
    },
    { seq: 1, at: 1234, ...NOTE, address: "192.0.2.1", requestId: "req_1" },
  ]);
});

describe("a change", () => {
  test("a change is made after its audit row is written, and its result is returned", async () => {
    const { store, audit, rows } = scene();
    const change = async () => (await store.list({ limit: 9 })).length;
    expect(await audit.change(NOTE, change)).toBe(1);
    expect(await rows()).toEqual([{ name: "ann" }]);
  });

  test("a change whose audit row cannot be written is not made", async () => {
    const { store } = scene();
    const audit = createAudit({ audit: failingAfter(store, 0) });
    let made = 0;
    const error = await failureOf(() => audit.change(NOTE, async () => ++made));
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe("audit_failed");
    expect(made).toBe(0);
  });

  test("a change that fails has a second audit row with the reason, and throws its own error", async () => {
    const { audit, rows } = scene();
    for (const [error, why] of [
      [new AppError("user_delete_failed"), "user_delete_failed"],
      [new Error("the password is secret"), "internal"],
    ] as const) {
      expect(await failureOf(() => audit.change(NOTE, () => Promise.reject(error)))).toBe(error);
      expect((await rows()).at(-1)).toEqual({ name: "ann", failed: why });
    }
    expect(await rows()).toHaveLength(4);
  });

  test("a change that found nothing to change has a second audit row that says so", async () => {
    const { audit, rows } = scene();
    expect(await audit.change(NOTE, async () => false)).toBe(false);
    expect(await rows()).toEqual([{ name: "ann" }, { name: "ann", failed: "not found" }]);
  });

  test("a failing change throws its own error, even if its second audit row cannot be written", async () => {
    const { store } = scene();
    const audit = createAudit({ audit: failingAfter(store, 1) });
    const error = new AppError("user_delete_failed");
    expect(await failureOf(() => audit.change(NOTE, () => Promise.reject(error)))).toBe(error);
  });
});
