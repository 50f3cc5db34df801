import { expect, test } from "bun:test";
import { whenDue } from "../src/clock.ts";
import { createFakeClock } from "./support/clock.ts";

test("a call that is due later and later comes at the last of these times, and needs one timer", () => {
  const clock = createFakeClock();
  const start = clock.now();
  let dueAt = start + 100;
  const calledAt: number[] = [];
  whenDue(
    clock,
    () => dueAt,
    () => calledAt.push(clock.now() - start),
  );
  clock.advance(60);
  dueAt = start + 160;
  clock.advance(60);
  dueAt = start + 170;
  expect(clock.pending()).toBe(1);
  clock.advance(49);
  expect(calledAt).toEqual([]);
  clock.advance(1);
  expect(calledAt).toEqual([170]);
  expect(clock.pending()).toBe(0);
});

test("a call that was stopped after its timer was set again never comes", () => {
  const clock = createFakeClock();
  let dueAt = clock.now() + 100;
  let calls = 0;
  const stop = whenDue(
    clock,
    () => dueAt,
    () => calls++,
  );
  dueAt += 100;
  clock.advance(150);
  stop();
  clock.advance(1000);
  expect(calls).toBe(0);
  expect(clock.pending()).toBe(0);
});
