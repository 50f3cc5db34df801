import { expect, test } from "bun:test";
import type { Lease, UserLimits } from "../../src/auth/limits.ts";
import { userPrincipal } from "../../src/principal.ts";
import { limitsBench as bench, NO_LIMITS as NONE, tryAdmit } from "../support/limits-bench.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The limits as simply as possible: everything is kept, and counted again each time. */
function createModel() {
  let passes: { user: string; at: number }[] = [];
  let tokens: { user: string; count: number; at: number }[] = [];
  let running: { user: string }[] = [];
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const usedOn = (user: string, at: number) =>
    tokens
      .filter((entry) => entry.user === user && dayOf(entry.at) === dayOf(at))
      .reduce((sum, { count }) => sum + count, 0);
  const within = (user: string, elapsed: number) =>
    passes.filter((entry) => entry.user === user && entry.at > elapsed - 60_000);

  return {
    usedOn,
    admit(user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) {
      const { requestsPerMinute, tokensPerDay, maxParallel } = userLimits;
      if (tokensPerDay !== null && usedOn(user, at) >= tokensPerDay)
        return {
          outcome: "limit_tokens",
          waitMs: Math.ceil(Date.parse(`${dayOf(at + DAY_MS)}T00:00:00Z`) - at),
        };
      const recent = within(user, elapsed);
      if (requestsPerMinute !== null && recent.length >= requestsPerMinute) {
        const moments = recent.map((entry) => entry.at + 60_000).sort((a, b) => a - b);
        const free = moments.find((moment) => within(user, moment).length < requestsPerMinute) ?? Number.NaN;
        return { outcome: "limit_requests", waitMs: Math.ceil(free - elapsed) };
      }
      if (maxParallel !== null && running.filter((ask) => ask.user === user).length >= maxParallel)
        return { outcome: "limit_parallel", waitMs: 1000 };
      const ask = { user };
      if (requestsPerMinute !== null) passes.push({ user, at: elapsed });
      running.push(ask);
      return { outcome: "ok", ask };
    },
    end(ask: object | undefined) {
      running = running.filter((candidate) => candidate !== ask);
    },
    count: (user: string, count: number, at: number) => tokens.push({ user, count, at }),
    remaining: (user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) => ({
      requests: Math.max(0, (userLimits.requestsPerMinute ?? 0) - within(user, elapsed).length),
      tokens: Math.max(0, (userLimits.tokensPerDay ?? 0) - usedOn(user, at)),
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
    tokensPerDay: maybe([1, 500]),
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
  let held: { lease: Lease; ask: object | undefined }[] = [];

  return {
    seen,
    pass,
    ask(user: string) {
      const userLimits = limitsOf.get(user) ?? NONE;
      const { outcome, waitMs, lease } = tryAdmit(limits, user, userLimits);
      const { ask, ...wanted } = model.admit(user, userLimits, clock);
      expect({ outcome, waitMs }).toEqual({ waitMs: undefined, ...wanted });
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if (lease) held.push({ lease, ask });
      const { requests, tokens } = limits.standing(user, userLimits);
      const remaining = model.remaining(user, userLimits, clock);
      expect(requests?.remaining).toBe(remaining.requests);
      if (tokens) expect(tokens.remaining).toBe(remaining.tokens);
    },
    /** Ends an ask, which sometimes stays in `held`, to be ended once more. */
    end() {
      const index = random.below(held.length + 1);
      held[index]?.lease.end();
      model.end(held[index]?.ask);
      if (random.below(3) > 0) held = held.filter((_, at) => at !== index);
    },
    count(user: string) {
      const at = clock.at - random.pick([0, 1000, HOUR_MS]);
      limits.countTokens(userPrincipal(user), 30, at);
      model.count(user, 30, at);
    },
    change: (user: string) => limitsOf.set(user, randomLimits(random)),
    restart() {
      model.restart(clock.at - 2 * DAY_MS);
      limits = make(new Map(USERS.map((name) => [name, model.usedOn(name, clock.at)])));
    },
  };
}

const seed = chooseSeed();
test(`20,000 random steps have the results of the model of the limits (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const twins = createTwins(random);
  const kinds = [
    ...Array(60).fill("ask"),
    ...Array(20).fill("end"),
    ...Array(8).fill("count"),
    ...Array(9).fill("pass"),
    ...["change", "change", "restart"],
  ];
  for (let step = 0; step < 20_000; step++) {
    const kind = random.pick(kinds);
    const user = random.pick(USERS);
    if (kind === "ask") twins.ask(user);
    else if (kind === "end") twins.end();
    else if (kind === "count") twins.count(user);
    else if (kind === "pass") twins.pass(random.pick(STEPS_MS));
    else if (kind === "change") twins.change(user);
    else twins.restart();
  }
  expect([...twins.seen.keys()].sort()).toEqual(["limit_parallel", "limit_requests", "limit_tokens", "ok"]);
  expect(Math.min(...twins.seen.values())).toBeGreaterThan(100);
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
