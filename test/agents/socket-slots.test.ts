import { expect, test } from "bun:test";
import { createSocketSlots } from "../../src/agents/socket-slots.ts";
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
  const slots = createSocketSlots(2);
  const first = slots.take("10.0.0.1");
  slots.take("10.0.0.2").identified();
  expect(codeOf(() => slots.take("10.0.0.3"))).toBe("agents_full");
  first.release();
  first.release();
  expect(codeOf(() => slots.take("10.0.0.3"))).toBeUndefined();
  expect(codeOf(() => slots.take("10.0.0.4"))).toBe("agents_full");
});

test("sockets without a hello are limited per address, and an identified agent no longer counts", () => {
  const slots = createSocketSlots(10_000);
  const taken = Array.from({ length: 1000 }, () => slots.take("10.0.0.1"));
  expect(codeOf(() => slots.take("10.0.0.1"))).toBe("address_busy");
  expect(codeOf(() => slots.take("10.0.0.2"))).toBeUndefined();
  taken[0]?.identified();
  expect(codeOf(() => slots.take("10.0.0.1"))).toBeUndefined();
  taken[0]?.release();
  expect(codeOf(() => slots.take("10.0.0.1"))).toBe("address_busy");
});

test("sockets without a hello are limited in all", () => {
  const slots = createSocketSlots(10_000);
  for (let count = 0; count < 4000; count++) slots.take(`10.0.${count >> 8}.${count & 255}`);
  expect(codeOf(() => slots.take("10.1.0.1"))).toBe("address_busy");
});
