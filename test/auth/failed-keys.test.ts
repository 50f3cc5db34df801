import { expect, test } from "bun:test";
import { createFailedKeys } from "../../src/auth/failed-keys.ts";

function atTime({ max, ...options }: { max: number; networksMax?: number }) {
  const clock = { ms: 0 };
  return { clock, failed: createFailedKeys({ ...options, max: () => max, elapsedMs: () => clock.ms }) };
}

test("an address may send a number of wrong keys per minute; each further one gets the time to wait, the first one marked", () => {
  const { clock, failed } = atTime({ max: 2 });
  expect([failed.note("10.0.0.1"), failed.note("10.0.0.1")]).toEqual([undefined, undefined]);
  clock.ms = 20_000;
  expect(failed.note("10.0.0.1")).toEqual({ retryAfterMs: 40_000, isFirst: true });
  expect(failed.note("10.0.0.1")).toEqual({ retryAfterMs: 40_000, isFirst: false });
  clock.ms = 60_000;
  expect(failed.note("10.0.0.1")).toBeUndefined();
});

test("a request with several wrong keys counts as many", () => {
  const { failed } = atTime({ max: 5 });
  expect([failed.note("10.0.0.1", 2), failed.note("10.0.0.1", 3)]).toEqual([undefined, undefined]);
  expect(failed.note("10.0.0.1", 3)?.isFirst).toBe(true);
  expect(failed.note("10.0.0.1", 3)?.isFirst).toBe(false);
  expect(failed.note("10.0.0.2", 6)?.isFirst).toBe(true);
});

test("wrong keys affect no other address, except in the same IPv6 network", () => {
  const { failed } = atTime({ max: 1 });
  failed.note("2001:db8::1");
  expect(failed.note("2001:db8:0:1::1")).toBeUndefined();
  expect(failed.note("10.0.0.1")).toBeUndefined();
  expect(failed.note("2001:db8::2")).toBeDefined();
});

test("the number of remembered addresses is bounded", () => {
  const { clock, failed } = atTime({ max: 1, networksMax: 100 });
  for (let count = 0; count < 10_000; count++) {
    failed.note(`10.0.${count >> 8}.${count & 255}`);
    expect(failed.size).toBeLessThanOrEqual(100);
  }
  expect(failed.note("10.0.39.15")).toBeDefined();
  clock.ms = 60_000;
  failed.note("10.9.9.9");
  expect(failed.size).toBe(1);
});

test("a key that proves right after all can be taken back", () => {
  const { failed } = atTime({ max: 1 });
  failed.note("10.0.0.1");
  failed.takeBack("10.0.0.1");
  failed.takeBack("10.0.0.1");
  expect(failed.note("10.0.0.1")).toBeUndefined();
  expect(failed.note("10.0.0.1")).toBeDefined();
});
