import { expect, test } from "bun:test";
import { clockDifference } from "../../src/store/clock-difference.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { describeWithPostgres, newDatabase } from "../support/postgres.ts";

/** Compares a clock with the database's, which is read while some time passes here. */
function differenceOf(aheadMs: number, tookMs = 0): Promise<number | undefined> {
  let at = 1_000_000_000;
  const clock = async () => {
    const read = at + tookMs / 2 - aheadMs;
    at += tookMs;
    return read;
  };
  return clockDifference({ clock }, () => at);
}

test("a clock that is far from the database's is reported with its difference", async () => {
  for (const aheadMs of [600_000, -600_000, 6_000, -6_000]) expect(await differenceOf(aheadMs)).toBe(aheadMs);
});

test("a small difference, a slow answer and a database that is away are not reported", async () => {
  for (const aheadMs of [0, 4_000, -4_000]) expect(await differenceOf(aheadMs)).toBeUndefined();
  for (const aheadMs of [0, 8_000, -8_000]) expect(await differenceOf(aheadMs, 20_000)).toBeUndefined();
  const away = { clock: () => Promise.reject(new Error("away")) };
  for (const store of [away, {}]) expect(await clockDifference(store, Date.now)).toBeUndefined();
});

describeWithPostgres("the clock of PostgreSQL", () => {
  test("the store compares its machine's clock with the database's", async () => {
    const { store } = await openPostgres({ url: await newDatabase() });
    await using _ = store;
    expect(await clockDifference(store, Date.now)).toBeUndefined();
    const difference = (await clockDifference(store, () => Date.now() - 600_000)) ?? 0;
    expect(Math.abs(difference + 600_000)).toBeLessThan(5_000);
  });
});
