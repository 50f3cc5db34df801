import { expect, test } from "bun:test";
import type { LocalLease, UserLimits } from "../../../src/auth/limits/limits.ts";
import { HOUR_MS } from "../../../src/durations.ts";
import { userPrincipal } from "../../../src/principal.ts";
import { limitsBench as bench, NO_LIMITS as NONE, tryAdmit, tryReserve } from "../../support/limits-bench.ts";
import { createLimitsModel, type RunningAsk } from "../../support/limits-model.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";

const USERS = ["ann", "bob", "eve"];
const STEPS_MS = [
  0,
  0,
  0,
  0.5,
  1,
  17,
  900,
  15_000,
  29_999.5,
  59_999,
  60_000,
  60_001,
  HOUR_MS,
  7 * HOUR_MS,
  216 * HOUR_MS,
];

function randomLimits(random: Random): UserLimits {
  const maybe = (values: readonly number[]) => (random.below(4) === 0 ? null : random.pick(values));
  // One limit at least, so that requests are always counted.
  return {
    requestsPerMinute: random.pick([1, 2, 5, 40]),
    tokensPerDay: maybe([1, 500, 2000]),
    maxParallel: maybe([1, 3]),
    budgetDayMicros: maybe([100, 500, 2_000]),
    budgetMonthMicros: maybe([100, 2_000, 30_000]),
  };
}

/** The limits and the model, which get the same calls and must return the same results. */
function createTwins(random: Random) {
  const { clock, pass, make } = bench();
  const model = createLimitsModel();
  const limitsOf = new Map(USERS.map((user) => [user, randomLimits(random)]));
  const seen = new Map<string, number>();
  let limits = make();
  let held: { lease: LocalLease; ask: RunningAsk | undefined; mayReserve: boolean }[] = [];
  const note = (outcome: string) => seen.set(outcome, (seen.get(outcome) ?? 0) + 1);

  return {
    seen,
    pass,
    ask(user: string) {
      const userLimits = limitsOf.get(user) ?? NONE;
      const { outcome, waitMs, lease } = tryAdmit(limits, user, userLimits);
      const { ask, ...wanted } = { ask: undefined, ...model.admit(user, userLimits, clock) };
      expect({ outcome, waitMs }).toEqual({ waitMs: undefined, ...wanted });
      note(outcome);
      if (lease) held.push({ lease, ask, mayReserve: true });
      const { requests, tokens, budgetDay, budgetMonth } = limits.standing(user, userLimits);
      const remaining = model.remaining(user, userLimits, clock);
      expect(requests?.remaining).toBe(remaining.requests);
      expect([budgetMonth, budgetDay, tokens].map((one) => one?.remaining)).toEqual(remaining.ofPeriods);
    },
    /** Reserves for an ask that has not done so. A refused one ends, as in the server. */
    reserve() {
      const entry = held.filter(({ mayReserve }) => mayReserve)[random.below(held.length + 1)];
      if (!entry?.ask) return;
      entry.mayReserve = false;
      // Another ask may use up a budget between the admission and the reservation.
      if (random.below(4) === 0) this.count(entry.ask.user, 200_000);
      const tokens = random.pick([0, 1, 60, 900]);
      const spent = { tokens, costNanos: tokens * random.pick([0, 700, 3_000]) };
      const { outcome, waitMs } = tryReserve(entry.lease, spent);
      expect({ outcome, waitMs }).toEqual({
        waitMs: undefined,
        ...model.reserve(entry.ask, spent, clock.at),
      });
      note(`reserved: ${outcome}`);
      if (outcome === "ok") return;
      entry.lease.end();
      model.end(entry.ask);
    },
    /** Ends an ask, which sometimes stays in `held`, to be ended once more. */
    end() {
      const entry = held[random.below(held.length + 1)];
      if (!entry) return;
      entry.lease.end();
      entry.mayReserve = false;
      model.end(entry.ask);
      if (random.below(3) > 0) held = held.filter((other) => other !== entry);
    },
    count(user: string, costNanos = random.pick([0, 20_000])) {
      const at = clock.at - random.pick([0, 1000, HOUR_MS]);
      const spent = { tokens: 30, costNanos };
      limits.countSpent(userPrincipal(user), spent, at);
      model.count(user, spent, at);
    },
    change: (user: string) => limitsOf.set(user, randomLimits(random)),
    restart() {
      model.restart();
      held = [];
      limits = make(new Map(USERS.map((name) => [name, model.useOf(name, clock.at)])));
    },
  };
}

const seed = chooseSeed();
test(`80,000 random steps have the results of the model of the limits (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const twins = createTwins(random);
  const kinds = [
    ...Array(60).fill("ask"),
    ...Array(40).fill("reserve"),
    ...Array(20).fill("end"),
    ...Array(8).fill("count"),
    ...Array(9).fill("pass"),
    ...["change", "change", "restart"],
  ];
  for (let step = 0; step < 80_000; step++) {
    const kind = random.pick(kinds);
    const user = random.pick(USERS);
    if (kind === "ask") twins.ask(user);
    else if (kind === "reserve") twins.reserve();
    else if (kind === "end") twins.end();
    else if (kind === "count") twins.count(user);
    else if (kind === "pass") twins.pass(random.pick(STEPS_MS));
    else if (kind === "change") twins.change(user);
    else twins.restart();
  }
  expect([...twins.seen.keys()].sort()).toEqual([
    ...["limit_budget_day", "limit_budget_month", "limit_budget_reserved", "limit_parallel"],
    ...["limit_requests", "limit_tokens", "ok"],
    ...[
      "reserved: limit_budget_day",
      "reserved: limit_budget_month",
      "reserved: limit_budget_reserved",
      "reserved: limit_tokens",
      "reserved: ok",
    ],
  ]);
  expect(Math.min(...twins.seen.values())).toBeGreaterThan(15);
});

test(`no 60 seconds, wherever they begin, admit more than the limit (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const { limits, clock, pass } = bench();
  const limit = 1 + random.below(60);
  const moments: number[] = [];
  for (let step = 0; step < 5_000; step++) {
    if (tryAdmit(limits, "ann", { requestsPerMinute: limit }).outcome === "ok") moments.push(clock.elapsed);
    pass(random.next() * random.pick([0, 10, 1000, 5000]));
  }
  const tooClose = moments.filter((moment, index) => (moments[index + limit] ?? Infinity) - moment < 60_000);
  expect(tooClose).toEqual([]);
  expect(moments.length).toBeGreaterThan(limit * 10);
});

/** A user whose asks reserve and use random numbers of tokens within one day. */
function createDay(random: Random) {
  const { limits, clock } = bench();
  const tokensPerDay = 1 + random.below(2000);
  let running: { lease: LocalLease; tokens: number }[] = [];
  let [used, largest, beyond] = [0, 0, 0];
  return {
    begin() {
      const reserved = 1 + random.below(random.pick([10, 300, 5000]));
      const { lease } = tryAdmit(limits, "ann", { tokensPerDay });
      if (!lease) return;
      if (tryReserve(lease, reserved).outcome !== "ok") return lease.end();
      // Most asks need no more than they reserve, as their maximum bounds them.
      const tokens = random.below(10) === 0 ? random.below(9000) : random.below(reserved + 1);
      running.push({ lease, tokens });
      largest = Math.max(largest, reserved);
      beyond += Math.max(0, tokens - reserved);
    },
    end() {
      const ask = running[random.below(running.length)];
      if (!ask) return;
      running = running.filter((other) => other !== ask);
      limits.countSpent(userPrincipal("ann"), { tokens: ask.tokens, costNanos: 0 }, clock.at);
      ask.lease.end();
      used += ask.tokens;
    },
    /** How many tokens the limit will be exceeded by, and how many that may be. */
    overshoot() {
      const all = running.reduce((sum, { tokens }) => sum + tokens, used);
      return { tokens: all - tokensPerDay, bound: largest + beyond };
    },
  };
}

test(`a day exceeds its limit by less than one request, plus what is beyond reservations (SEED=${seed})`, () => {
  const random = createRandom(seed);
  let most = 0;
  for (let count = 0; count < 300; count++) {
    const day = createDay(random);
    for (let step = 0; step < 400; step++) {
      if (random.below(2) === 0) day.begin();
      else day.end();
      const { tokens, bound } = day.overshoot();
      expect(tokens).toBeLessThan(bound);
      most = Math.max(most, tokens);
    }
  }
  expect(most).toBeGreaterThan(1000);
});

test("a limit of 100 tokens lets in one of 50 requests at once", () => {
  const { limits } = bench();
  const limited = { tokensPerDay: 100 };
  const leases = Array.from({ length: 50 }, () => tryAdmit(limits, "ann", limited).lease);
  const outcomes = leases.map((lease) => lease && tryReserve(lease, 4000).outcome);
  expect(outcomes).toEqual(["ok", ...Array(49).fill("limit_tokens")]);
  expect(tryAdmit(limits, "ann", limited)).toMatchObject({ outcome: "limit_tokens", waitMs: 1000 });
  for (const lease of leases) lease?.end();
  expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
});

test("a budget lets in one of 50 requests at once, as it reserves what each may cost", () => {
  const { limits } = bench();
  const limited = { budgetMonthMicros: 100 };
  const leases = Array.from({ length: 50 }, () => tryAdmit(limits, "ann", limited).lease);
  const spent = { tokens: 10, costNanos: 100_000 };
  const outcomes = leases.map((lease) => lease && tryReserve(lease, spent).outcome);
  expect(outcomes).toEqual(["ok", ...Array(49).fill("limit_budget_reserved")]);
  expect(tryAdmit(limits, "ann", limited)).toMatchObject({ outcome: "limit_budget_reserved", waitMs: 1000 });
  for (const lease of leases) lease?.end();
  expect(tryAdmit(limits, "ann", limited).outcome).toBe("ok");
});
