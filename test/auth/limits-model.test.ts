import { expect, test } from "bun:test";
import type { LocalLease, UserLimits } from "../../src/auth/limits.ts";
import { userPrincipal } from "../../src/principal.ts";
import { limitsBench as bench, NO_LIMITS as NONE, tryAdmit, tryReserve } from "../support/limits-bench.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface RunningAsk {
  user: string;
  /** The user's limits when it was admitted. */
  userLimits: UserLimits;
  reserved: { tokens: number; at: number };
}

/** The limits as simply as possible: everything is kept, and counted again each time. */
function createModel() {
  let passes: { user: string; at: number }[] = [];
  let tokens: { user: string; count: number; at: number }[] = [];
  let running: RunningAsk[] = [];
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const usedOn = (user: string, at: number) =>
    tokens
      .filter((entry) => entry.user === user && dayOf(entry.at) === dayOf(at))
      .reduce((sum, { count }) => sum + count, 0);
  const reservedOn = (user: string, at: number) =>
    running
      .filter((ask) => ask.user === user && dayOf(ask.reserved.at) === dayOf(at))
      .reduce((sum, { reserved }) => sum + reserved.tokens, 0);
  const checkUsed = (user: string, { tokensPerDay }: UserLimits, at: number) =>
    tokensPerDay !== null && usedOn(user, at) >= tokensPerDay
      ? { outcome: "limit_tokens", waitMs: Math.ceil(Date.parse(`${dayOf(at + DAY_MS)}T00:00:00Z`) - at) }
      : undefined;
  const checkReserved = (user: string, { tokensPerDay }: UserLimits, at: number) =>
    tokensPerDay !== null && usedOn(user, at) + reservedOn(user, at) >= tokensPerDay
      ? { outcome: "limit_tokens", waitMs: 1000 }
      : undefined;
  const within = (user: string, elapsed: number) =>
    passes.filter((entry) => entry.user === user && entry.at > elapsed - 60_000);

  return {
    usedOn,
    admit(user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) {
      const { requestsPerMinute, maxParallel } = userLimits;
      const refusal = checkUsed(user, userLimits, at);
      if (refusal) return refusal;
      const recent = within(user, elapsed);
      if (requestsPerMinute !== null && recent.length >= requestsPerMinute) {
        const moments = recent.map((entry) => entry.at + 60_000).sort((a, b) => a - b);
        const free = moments.find((moment) => within(user, moment).length < requestsPerMinute) ?? Number.NaN;
        return { outcome: "limit_requests", waitMs: Math.ceil(free - elapsed) };
      }
      const reserved = checkReserved(user, userLimits, at);
      if (reserved) return reserved;
      if (maxParallel !== null && running.filter((ask) => ask.user === user).length >= maxParallel)
        return { outcome: "limit_parallel", waitMs: 1000 };
      const ask: RunningAsk = { user, userLimits, reserved: { tokens: 0, at } };
      if (requestsPerMinute !== null) passes.push({ user, at: elapsed });
      running.push(ask);
      return { outcome: "ok", ask };
    },
    reserve({ user, userLimits, reserved }: RunningAsk, tokens: number, at: number) {
      const refusal = checkUsed(user, userLimits, at) ?? checkReserved(user, userLimits, at);
      if (!refusal && userLimits.tokensPerDay !== null) Object.assign(reserved, { tokens, at });
      return refusal ?? { outcome: "ok" };
    },
    end(ask: RunningAsk | undefined) {
      running = running.filter((candidate) => candidate !== ask);
    },
    count: (user: string, count: number, at: number) => tokens.push({ user, count, at }),
    remaining: (user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) => ({
      requests: Math.max(0, (userLimits.requestsPerMinute ?? 0) - within(user, elapsed).length),
      tokens: Math.max(0, (userLimits.tokensPerDay ?? 0) - usedOn(user, at) - reservedOn(user, at)),
    }),
    /** Keeps nothing but the tokens since `since`: those of the day, and a few more. */
    restart(since: number) {
      passes = [];
      running = [];
      tokens = tokens.filter(({ at }) => at >= since);
    },
  };
}

const USERS = ["ann", "bob", "eve"];
const STEPS_MS = [0, 0, 0, 0.5, 1, 17, 900, 15_000, 29_999.5, 59_999, 60_000, 60_001, HOUR_MS, 7 * HOUR_MS];

function randomLimits(random: Random): UserLimits {
  const maybe = (values: readonly number[]) => (random.below(4) === 0 ? null : random.pick(values));
  // One limit at least, so that requests are always counted.
  return {
    requestsPerMinute: random.pick([1, 2, 5, 40]),
    tokensPerDay: maybe([1, 500, 2000]),
    maxParallel: maybe([1, 3]),
  };
}

/** The limits and the model, which get the same calls and must return the same results. */
function createTwins(random: Random) {
  const { clock, pass, make } = bench();
  const model = createModel();
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
      const { requests, tokens } = limits.standing(user, userLimits);
      const remaining = model.remaining(user, userLimits, clock);
      expect(requests?.remaining).toBe(remaining.requests);
      if (tokens) expect(tokens.remaining).toBe(remaining.tokens);
    },
    /** Reserves for an ask that has not done so. A refused one ends, as in the server. */
    reserve() {
      const entry = held.filter(({ mayReserve }) => mayReserve)[random.below(held.length + 1)];
      if (!entry?.ask) return;
      entry.mayReserve = false;
      const tokens = random.pick([0, 1, 60, 900]);
      const { outcome, waitMs } = tryReserve(entry.lease, tokens);
      expect({ outcome, waitMs }).toEqual({
        waitMs: undefined,
        ...model.reserve(entry.ask, tokens, clock.at),
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
    count(user: string) {
      const at = clock.at - random.pick([0, 1000, HOUR_MS]);
      limits.countTokens(userPrincipal(user), 30, at);
      model.count(user, 30, at);
    },
    change: (user: string) => limitsOf.set(user, randomLimits(random)),
    restart() {
      model.restart(clock.at - 2 * DAY_MS);
      held = [];
      limits = make(new Map(USERS.map((name) => [name, model.usedOn(name, clock.at)])));
    },
  };
}

const seed = chooseSeed();
test(`60,000 random steps have the results of the model of the limits (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const twins = createTwins(random);
  const kinds = [
    ...Array(60).fill("ask"),
    ...Array(20).fill("reserve"),
    ...Array(20).fill("end"),
    ...Array(8).fill("count"),
    ...Array(9).fill("pass"),
    ...["change", "change", "restart"],
  ];
  for (let step = 0; step < 60_000; step++) {
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
    ...["limit_parallel", "limit_requests", "limit_tokens", "ok"],
    ...["reserved: limit_tokens", "reserved: ok"],
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
      limits.countTokens(userPrincipal("ann"), ask.tokens, clock.at);
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
