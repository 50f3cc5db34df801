import { expect, test } from "bun:test";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { usageRow as ask } from "../../support/usage-row.ts";
import { type BackEnd, openNew } from "./back-end.ts";

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };

/** Defines the tests of the costs in the usage. */
export function testCosts(backEnd: BackEnd): void {
  const openStore = () => openNew(backEnd);

  test("the costs of rows are summed exactly, and rows of agents without one are counted", async () => {
    const { usage } = await openStore();
    // Added as decimal fractions, these would not make a whole.
    for (let index = 0; index < 10; index++) usage.record(ask({ costNanos: 100_000_001 }));
    usage.record(ask({ costNanos: 0 }));
    usage.record(ask({ costNanos: null, principal: userPrincipal("bob") }));
    usage.record(ask({ agent: undefined, costNanos: null, principal: userPrincipal("bob") }));
    const sums = await usage.sum({ ...EVER, by: ["user"] });
    expect(sums.map(({ group, costNanos, unpriced }) => [group.user, costNanos, unpriced])).toEqual([
      ["ann", 1_000_000_010, 0],
      ["bob", 0, 1],
    ]);
    const { requests } = await usage.list({ from: 0, to: 2_000, limit: 3 });
    expect(requests.map(({ costNanos }) => costNanos)).toEqual([null, null, 0]);
  });

  test("the costs of each user are read since the beginning of a month, and the rest since that of a day", async () => {
    const { usage } = await openStore();
    usage.record(ask({ at: 9, costNanos: 1_000 }));
    usage.record(ask({ at: 10, costNanos: 20 }));
    usage.record(ask({ at: 100, costNanos: 3 }));
    usage.record(ask({ at: 100, costNanos: 3, principal: ADMIN }));
    usage.record(ask({ at: 20, costNanos: 7, principal: userPrincipal("bob") }));
    usage.record(ask({ at: 20, costNanos: null, principal: userPrincipal("eve") }));
    const used = await usage.usedSince({ day: 100, month: 10 });
    expect(Object.fromEntries(used)).toEqual({
      ann: { tokens: 30, dayNanos: 3, monthNanos: 23 },
      bob: { tokens: 0, dayNanos: 0, monthNanos: 7 },
    });
  });

  test("the costs of some users are summed over the asks of a period that ended before a given time", async () => {
    const { usage } = await openStore();
    const bob = { principal: userPrincipal("bob") };
    usage.record(ask({ at: 9, durationMs: 1, costNanos: 1_000 }));
    usage.record(ask({ at: 10, durationMs: 1, costNanos: 20 }));
    usage.record(ask({ at: 50, durationMs: 50, costNanos: 300 }));
    usage.record(ask({ at: 60, durationMs: 1, costNanos: 4_000 }));
    usage.record(ask({ at: 20, durationMs: 1, costNanos: 5, ...bob }));
    usage.record(ask({ at: 20, durationMs: 1, costNanos: 6, principal: ADMIN }));
    const period = { from: 10, to: 60, endedBefore: 100 };
    const costs = await usage.costOfUsers(["ann", "joe"], period);
    expect(Object.fromEntries(costs)).toEqual({ ann: 20 });
    expect(
      Object.fromEntries(await usage.costOfUsers(["ann", "bob"], { ...period, endedBefore: 101 })),
    ).toEqual({
      ann: 320,
      bob: 5,
    });
    expect(await usage.costOfUsers([], period)).toEqual(new Map());
    const spent = await usage.spentByUsers(["bob"], { from: 20, to: 21, endedBefore: 100 });
    expect(Object.fromEntries(spent)).toEqual({ bob: { tokens: 30, costNanos: 5 } });
  });
}
