import { expect, test } from "bun:test";
import { createPairingAttempts } from "../../../src/auth/pairing/attempts.ts";
import { AppError } from "../../../src/errors.ts";

function scene() {
  const clock = { ms: 0 };
  const attempts = createPairingAttempts(() => clock.ms);
  const isLet = (address: string) => {
    try {
      attempts.begin(address);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe("pairing_limited");
      expect((error as AppError).retryAfterMs).toBeGreaterThan(0);
      return false;
    }
  };
  const countLet = (addresses: string[]) => addresses.filter(isLet).length;
  return { clock, attempts, isLet, countLet };
}

const many = (count: number, address: string) => Array.from({ length: count }, () => address);

test("an address has ten attempts in a minute, and does not use up those of others", () => {
  const { clock, isLet, countLet } = scene();
  expect(countLet(many(500, "10.0.0.1"))).toBe(10);
  expect(isLet("10.0.0.2")).toBe(true);
  expect(countLet(many(500, "2001:db8::1"))).toBe(10);
  expect(isLet("2001:db8::2")).toBe(false);
  clock.ms = 60_000;
  expect(isLet("10.0.0.1")).toBe(true);
});

test("all addresses together have a hundred attempts in a minute", () => {
  const { clock, countLet } = scene();
  const addresses = Array.from({ length: 1000 }, (_, nth) => `10.0.${nth >> 8}.${nth & 255}`);
  expect(countLet(addresses)).toBe(100);
  clock.ms = 60_000;
  expect(countLet(addresses)).toBe(100);
});

test("an attempt with a right code is taken back, so that many agents can pair from one address", () => {
  const { attempts, countLet } = scene();
  for (let nth = 0; nth < 300; nth++) attempts.begin("10.0.0.1")();
  expect(countLet(many(20, "10.0.0.1"))).toBe(10);
});
