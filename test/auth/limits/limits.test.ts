import { describe, expect, test } from "bun:test";
import type { LocalLimits, UserLimits } from "../../../src/auth/limits/limits.ts";
import { DAY_MS, HOUR_MS } from "../../../src/durations.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { limitsBench as bench, NO_LIMITS as NONE, tryAdmit } from "../../support/limits-bench.ts";

const passed = (limits: LocalLimits, tries: number, limited: Partial<UserLimits>) =>
  Array.from({ length: tries }, () => tryAdmit(limits, "ann", limited).outcome).filter((o) => o === "ok")
    .length;

describe("requests per minute", () => {
  test("exactly the limit is admitted per minute, and one more as soon as one is a minute old", () => {
    const { limits, pass } = bench();
    const limited = { requestsPerMinute: 100 };
    expect(passed(limits, 60, limited)).toBe(60);
    pass(30_000);
    expect(passed(limits, 64, limited)).toBe(40);
    pass(29_999);
    expect(tryAdmit(limits, "ann", limited)).toMatchObject({
      outcome: "limit_requests",
      waitMs: 1,
      hint: "The limit is 100. Please try again in 0.001s.",
    });
    pass(1);
    expect(passed(limits, 64, limited)).toBe(60);
    expect(tryAdmit(limits, "ann", limited).waitMs).toBe(30_000);
  });

  test("a refused ask is not counted, whichever limit refused it", () => {
    const { limits, pass } = bench();
    const limited = { requestsPerMinute: 2, maxParallel: 1 };
    const { lease } = tryAdmit(limits, "ann", limited);
    for (let count = 0; count < 10; count++)
      expect(tryAdmit(limits, "ann", limited).outcome).toBe("limit_parallel");
    lease?.end();
    tryAdmit(limits, "ann", limited).lease?.end();
    pass(10);
    for (let count = 0; count < 10; count++)
      expect(tryAdmit(limits, "ann", limited).outcome).toBe("limit_requests");
    pass(59_990);
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
  });

  test("a lowered limit counts what was admitted under the old one, and reports the right time to wait", () => {
    const { limits, pass } = bench();
    for (let count = 0; count < 40; count++) {
      expect(passed(limits, 1, { requestsPerMinute: 40 })).toBe(1);
      pass(1000);
    }
    const waitMs = tryAdmit(limits, "ann", { requestsPerMinute: 10 }).waitMs ?? 0;
    expect(waitMs).toBe(50_000);
    pass(waitMs - 1);
    expect(passed(limits, 1, { requestsPerMinute: 10 })).toBe(0);
    pass(1);
    expect(passed(limits, 5, { requestsPerMinute: 10 })).toBe(1);
  });

  test("one user's requests do not count for another user, and a limit of zero admits nothing", () => {
    const { limits } = bench();
    expect(passed(limits, 5, { requestsPerMinute: 1 })).toBe(1);
    expect(tryAdmit(limits, "bob", { requestsPerMinute: 1 }).outcome).toBe("ok");
    expect(tryAdmit(limits, "eve", { requestsPerMinute: 0 })).toMatchObject({
      outcome: "limit_requests",
      waitMs: 60_000,
    });
  });

  test("setting the clock does not change the minute", () => {
    const { limits, clock, pass } = bench();
    expect(passed(limits, 5, { requestsPerMinute: 5 })).toBe(5);
    clock.at -= HOUR_MS;
    expect(tryAdmit(limits, "ann", { requestsPerMinute: 5 }).waitMs).toBe(60_000);
    clock.at += 2 * HOUR_MS;
    expect(passed(limits, 5, { requestsPerMinute: 5 })).toBe(0);
    pass(60_000);
    expect(passed(limits, 9, { requestsPerMinute: 5 })).toBe(5);
  });
});

describe("parallel asks", () => {
  test("a lease that ends twice is returned once", () => {
    const { limits } = bench();
    const limited = { maxParallel: 2 };
    const first = tryAdmit(limits, "ann", limited).lease;
    tryAdmit(limits, "ann", limited);
    expect(tryAdmit(limits, "ann", limited)).toMatchObject({ outcome: "limit_parallel", waitMs: 1000 });
    first?.end();
    first?.end();
    expect(passed(limits, 5, limited)).toBe(1);
  });
});

describe("tokens per day", () => {
  const limited = { tokensPerDay: 1000 };

  test("asks are admitted while tokens are left, and then refused until the next UTC day", () => {
    const { limits, clock, pass } = bench();
    limits.countSpent(userPrincipal("ann"), { tokens: 999, costNanos: 0 }, clock.at);
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
    limits.countSpent(userPrincipal("ann"), { tokens: 500, costNanos: 0 }, clock.at);
    expect(limits.standing("ann", { ...NONE, ...limited }).tokens).toEqual({
      limit: 1000,
      remaining: 0,
      resetMs: 12 * HOUR_MS,
    });
    expect(tryAdmit(limits, "ann", limited)).toMatchObject({
      outcome: "limit_tokens",
      waitMs: 12 * HOUR_MS,
      hint: "The limit is 1000, and 1499 were used. Please try again in 12h0m0s.",
    });
    pass(12 * HOUR_MS - 1);
    expect(tryAdmit(limits, "ann", limited)).toMatchObject({ outcome: "limit_tokens", waitMs: 1 });
    pass(1);
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
  });

  test("tokens count on the day on which the ask arrived, as in the rows of the store", () => {
    const { limits, clock, pass } = bench();
    const came = clock.at + 12 * HOUR_MS - 1;
    pass(12 * HOUR_MS);
    limits.countSpent(userPrincipal("ann"), { tokens: 5000, costNanos: 0 }, came);
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
    limits.countSpent(userPrincipal("ann"), { tokens: 1000, costNanos: 0 }, came + 1);
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("limit_tokens");
  });

  test("tokens used before the start, and while there was no limit, count too", () => {
    const { limits, clock } = bench(new Map([["ann", { tokens: 1000, dayNanos: 0, monthNanos: 0 }]]));
    expect(tryAdmit(limits, "ann", limited).outcome).toBe("limit_tokens");
    tryAdmit(limits, "bob", {});
    limits.countSpent(userPrincipal("bob"), { tokens: 1000, costNanos: 0 }, clock.at);
    expect(tryAdmit(limits, "bob", limited).outcome).toBe("limit_tokens");
  });
});

test("users without a limit, or without an ask for a minute, are not remembered", () => {
  const { limits, pass } = bench();
  limits.admit(ADMIN, { ...NONE, maxParallel: 0 }).end();
  limits.admit(userPrincipal("ann"), null).end();
  limits.admit(userPrincipal("ann"), NONE).end();
  expect(limits.usersKnown).toBe(0);
  for (let count = 0; count < 10_000; count++) {
    tryAdmit(limits, `user ${count}`, { requestsPerMinute: 5 }).lease?.end();
    pass(60);
  }
  // A thousand asked within the last minute.
  expect(limits.usersKnown).toBeLessThan(2_100);
  const held = tryAdmit(limits, "holds", { maxParallel: 1 });
  pass(DAY_MS);
  for (let count = 0; count < 3_000; count++) tryAdmit(limits, "last", { maxParallel: 5_000 }).lease?.end();
  expect(limits.usersKnown).toBeLessThanOrEqual(2);
  expect(tryAdmit(limits, "holds", { maxParallel: 1 }).outcome).toBe("limit_parallel");
  held.lease?.end();
  expect(tryAdmit(limits, "holds", { maxParallel: 1 }).outcome).toBe("ok");
});
