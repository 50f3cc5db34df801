import { expect, test } from "bun:test";
import { createSignInCode, NO_CODE } from "../../src/auth/sign-in-code.ts";

const HOUR_MS = 3_600_000;

test("a sign-in code has 256 random bits, and works once", () => {
  const [one, other] = [createSignInCode(), createSignInCode()];
  expect(Buffer.from(one.text, "base64url")).toHaveLength(32);
  expect(one.text).not.toBe(other.text);
  expect([one.use(""), one.use(other.text), one.use(`${one.text}x`)]).toEqual([false, false, false]);
  expect([one.use(one.text), one.use(one.text)]).toEqual([true, false]);
});

test("a sign-in code works for less than an hour", () => {
  let now = 1_000;
  const [late, timely] = [createSignInCode(() => now), createSignInCode(() => now)];
  now += HOUR_MS - 1;
  expect(timely.use(timely.text)).toBe(true);
  now += 1;
  expect(late.use(late.text)).toBe(false);
});

test("without a sign-in code no code works, not even an empty one", () => {
  expect([NO_CODE(""), NO_CODE("undefined")]).toEqual([false, false]);
});
