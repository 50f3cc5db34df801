import { expect, test } from "bun:test";
import { createSocketLimit } from "../../src/agents/socket-limit.ts";
import { AppError } from "../../src/errors.ts";

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
}

test("sockets are limited in all, and a closed socket makes room once", () => {
  const limit = createSocketLimit(2);
  const first = limit.enter("10.0.0.1", false);
  limit.enter("10.0.0.2", false).identified();
  expect(codeOf(() => limit.enter("10.0.0.3", false))).toBe("agents_full");
  first.end();
  first.end();
  expect(codeOf(() => limit.enter("10.0.0.3", false))).toBeUndefined();
  expect(codeOf(() => limit.enter("10.0.0.4", false))).toBe("agents_full");
});

test("sockets without a hello are limited per address, and an identified agent no longer counts", () => {
  const limit = createSocketLimit(10_000);
  const taken = Array.from({ length: 1000 }, () => limit.enter("10.0.0.1", false));
  expect(codeOf(() => limit.enter("10.0.0.1", false))).toBe("address_busy");
  expect(codeOf(() => limit.enter("10.0.0.2", false))).toBeUndefined();
  taken[0]?.identified();
  expect(codeOf(() => limit.enter("10.0.0.1", false))).toBeUndefined();
  taken[0]?.end();
  expect(codeOf(() => limit.enter("10.0.0.1", false))).toBe("address_busy");
});

test("sockets without a hello are limited in all", () => {
  const limit = createSocketLimit(10_000);
  for (let count = 0; count < 4000; count++) limit.enter(`10.0.${count >> 8}.${count & 255}`, false);
  expect(codeOf(() => limit.enter("10.1.0.1", false))).toBe("address_busy");
});

test("sockets without a key take no room of those with one", () => {
  const limit = createSocketLimit(10_000);
  for (let count = 0; count < 1000; count++) limit.enter("10.0.0.1", false);
  expect(codeOf(() => limit.enter("10.0.0.1", false))).toBe("address_busy");
  expect(codeOf(() => limit.enter("10.0.0.1", true))).toBeUndefined();
});
