import { expect, test } from "bun:test";
import { createConcurrencyLimit } from "../../../src/auth/limits/concurrency.ts";

test("an address, and all addresses together, have a number of things open at most, until one of them ends", () => {
  const limit = createConcurrencyLimit({ addressMax: () => 2, allMax: 3 });
  const enter = (address: string) => limit.enter(address);
  const first = enter("10.0.0.1");
  expect([typeof first, typeof enter("10.0.0.1"), enter("10.0.0.1")]).toEqual([
    "function",
    "function",
    "address",
  ]);
  expect([typeof enter("10.0.0.2"), enter("10.0.0.3"), limit.count]).toEqual(["function", "all", 3]);
  if (typeof first === "function") first();
  expect([limit.count, typeof enter("10.0.0.1"), limit.count]).toEqual([2, "function", 3]);
});

test("ending the same thing twice counts once", () => {
  const limit = createConcurrencyLimit({ addressMax: () => 2 });
  const [first] = [limit.enter("10.0.0.1"), limit.enter("10.0.0.1")];
  for (let count = 0; count < 2; count++) if (typeof first === "function") first();
  expect(limit.count).toBe(1);
});

test("addresses of one IPv6 network share a limit", () => {
  const limit = createConcurrencyLimit({ addressMax: () => 1 });
  limit.enter("2001:db8::1");
  expect(limit.enter("2001:db8::2")).toBe("address");
  expect(limit.enter("2001:db8:0:1::1")).toBeFunction();
});
