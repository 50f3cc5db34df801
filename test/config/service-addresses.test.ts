import { expect, test } from "bun:test";
import { secretsInAddress, shownDatabase } from "../../src/config/service-addresses.ts";

test.each([
  ["postgres://me:p%40ss@host/db", ["p@ss"]],
  ["postgres://me@host/db?password=in-query&sslmode=require", ["in-query"]],
  ["postgres://me:one@host/db?password=two", ["one", "two"]],
  ["postgres://me@host/db", []],
  ["nats://token@host", ["token"]],
  ["nats://user:word@host", ["word"]],
])("the secrets in %s are masked, and the address itself", (address, secrets) => {
  expect(secretsInAddress(address)).toEqual([address, ...secrets]);
});

test("a database is shown without user, password and options", () => {
  expect(shownDatabase("postgresql://me:word@[::1]:5432/chat?password=x")).toBe(
    "chat at [::1]:5432 (PostgreSQL)",
  );
});
