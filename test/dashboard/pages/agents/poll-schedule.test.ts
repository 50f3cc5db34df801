import { expect, test } from "bun:test";
import { createPollSchedule } from "../../../../src/dashboard/pages/agents/poll-schedule.ts";

test("a list is reloaded at most once a second while it changes, and every five seconds otherwise", () => {
  let nowMs = 0;
  const schedule = createPollSchedule(() => nowMs);
  expect(schedule.isDue("a")).toBe(true);
  schedule.reloaded("a");
  nowMs = 999;
  expect(schedule.isDue("b")).toBe(false);
  nowMs = 1000;
  expect(schedule.isDue("a")).toBe(false);
  expect(schedule.isDue("b")).toBe(true);
  schedule.reloaded("b");
  nowMs = 5999;
  expect(schedule.isDue("b")).toBe(false);
  nowMs = 6000;
  expect(schedule.isDue("b")).toBe(true);
});

test("a long list, which costs the server more, is reloaded less often", () => {
  let nowMs = 0;
  const schedule = createPollSchedule(() => nowMs);
  schedule.reloaded("a");
  nowMs = 1000;
  expect(schedule.isDue("b", 1000)).toBe(true);
  expect(schedule.isDue("b", 3000)).toBe(false);
  nowMs = 3000;
  expect(schedule.isDue("b", 3000)).toBe(true);
  expect(schedule.isDue("b", 100_000)).toBe(false);
  nowMs = 5000;
  expect(schedule.isDue("b", 100_000)).toBe(true);
});
