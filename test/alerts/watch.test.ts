import { expect, test } from "bun:test";
import type { Finding } from "../../src/alerts/finding.ts";
import { Watch } from "../../src/alerts/watch.ts";
import { AT } from "./problems.ts";

const away: Finding = { code: "nats_away", subject: "", severity: "warning", details: {} };

/** A watch that looks once a second. */
function scene() {
  const watch = new Watch();
  let now = AT;
  return {
    look(findings: readonly Finding[], seconds = 1) {
      let problems = watch.update([], now);
      for (let second = 0; second < seconds; second++) {
        now += 1_000;
        problems = watch.update(findings, now);
      }
      return problems;
    },
    sleep(ms: number) {
      now += ms;
    },
    now: () => now,
  };
}

test("a fault becomes a problem after ten seconds, and counts from its beginning", () => {
  const { look } = scene();
  expect(look([away], 10)).toEqual([]);
  expect(look([away])).toEqual([{ ...away, since: AT + 1_000 }]);
});

test("a fault that began before it was noticed becomes a problem at once", () => {
  const { look } = scene();
  expect(look([{ ...away, since: AT - 60_000 }])).toEqual([{ ...away, since: AT - 60_000 }]);
});

test("a fault that comes and goes does not become a problem", () => {
  const { look } = scene();
  for (let time = 0; time < 20; time++) {
    expect(look([away], 6)).toEqual([]);
    expect(look([], 5)).toEqual([]);
  }
});

test("a problem that goes for a moment lasts on, and is over once it was gone for a quarter of a minute", () => {
  const { look } = scene();
  look([away], 20);
  for (let time = 0; time < 5; time++) {
    expect(look([], 14)).toHaveLength(1);
    expect(look([away])).toEqual([{ ...away, since: AT + 1_000 }]);
  }
  expect(look([], 15)).toEqual([]);
  expect(look([away], 5)).toEqual([]);
});

test("a machine that slept does not take what it saw before and after for one long fault", () => {
  const { look, sleep } = scene();
  look([away], 2);
  sleep(3_600_000);
  expect(look([away], 9)).toEqual([]);
});

test("a problem has the numbers and the severity of the last look", () => {
  const { look } = scene();
  const low = (free_bytes: number): Finding => ({
    ...{ code: "disk_low", subject: "", severity: free_bytes < 5 ? "critical" : "warning" },
    details: { free_bytes },
  });
  expect(look([low(9)])).toMatchObject([{ severity: "warning", details: { free_bytes: 9 } }]);
  expect(look([low(1)])).toMatchObject([{ severity: "critical", details: { free_bytes: 1 } }]);
});

test("the faults that are watched are bounded", () => {
  const { look } = scene();
  const many = Array.from(
    { length: 30_000 },
    (_, index): Finding => ({ ...away, code: "agent_failing", subject: `${index}`, since: AT - 60_000 }),
  );
  expect(look(many)).toHaveLength(20_000);
});
