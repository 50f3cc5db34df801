import { expect, test } from "bun:test";
import { newestWithin } from "../../src/builtin-agent/newest-within.ts";

const never = new AbortController().signal;

test("a result that comes in time is returned, and each call loads anew", async () => {
  let loads = 0;
  const newest = newestWithin(10_000, async () => ++loads, 0);
  expect([await newest(never), await newest(never), loads]).toEqual([1, 2, 2]);
});

test("a slow load goes on, and until it ends the result before it counts", async () => {
  const loads: ((value: string) => void)[] = [];
  const newest = newestWithin(1, () => new Promise<string>((resolve) => loads.push(resolve)), "first");
  expect([await newest(never), await newest(never)]).toEqual(["first", "first"]);
  expect(loads).toHaveLength(1);
  loads[0]?.("second");
  expect(await newest(never)).toBe("second");
  expect(await newest(never)).toBe("second");
  expect(loads).toHaveLength(2);
});
