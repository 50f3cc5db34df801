import { expect, test } from "bun:test";
import { hashSecret } from "../../../src/auth/secret.ts";
import { addSignInCode, createUseCode } from "../../../src/auth/sessions/sign-in-code.ts";
import { HOUR_MS } from "../../../src/durations.ts";
import { AppError, DatabaseAway } from "../../../src/errors.ts";
import { createFakeClock } from "../../support/clock.ts";
import { failureOf, openTestStore } from "../../support/store.ts";

function scene() {
  const clock = createFakeClock();
  const { sessions } = openTestStore({ now: clock.now });
  return { clock, sessions, add: () => addSignInCode(sessions, clock.now), use: createUseCode(sessions) };
}

test("a sign-in code has 256 random bits, works once, and is stored as a hash", async () => {
  const { sessions, add, use } = scene();
  const [one, other] = [await add(), await add()];
  expect(Buffer.from(one, "base64url")).toHaveLength(32);
  expect(one).not.toBe(other);
  expect([await use(""), await use(`${one}x`), await use(hashSecret(one))]).toEqual([false, false, false]);
  expect([await use(one), await use(one)]).toEqual([true, false]);
  expect(await sessions.useCode(hashSecret(other))).toBe(true);
});

test("a sign-in code works for less than an hour", async () => {
  const { clock, add, use } = scene();
  const [late, timely] = [await add(), await add()];
  clock.advance(HOUR_MS - 1);
  expect(await use(timely)).toBe(true);
  clock.advance(1);
  expect(await use(late)).toBe(false);
});

test("a code that cannot be one is refused without the database, and another fails if that is away", async () => {
  const away = async () => {
    throw new DatabaseAway("no answer");
  };
  const use = createUseCode({ useCode: away });
  expect([await use(""), await use("undefined"), await use("x".repeat(44))]).toEqual([false, false, false]);
  const error = await failureOf(() => use("x".repeat(43)));
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: "database_away" });
});
