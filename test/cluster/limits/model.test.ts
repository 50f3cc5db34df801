import { expect, test } from "bun:test";
import {
  createLimits,
  type Lease,
  type LocalLease,
  type UserLimits,
} from "../../../src/auth/limits/limits.ts";
import { hasBudget } from "../../../src/auth/limits/user-budgets.ts";
import { HOUR_MS } from "../../../src/durations.ts";
import { userPrincipal } from "../../../src/principal.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";
import { createLimitNodes, type LimitNode, outcomeOf } from "./limit-nodes.ts";

const NAMES = ["n1", "n2", "n3"];
const USERS = ["ann", "bob", "eve", "joe"];
const STEPS_MS = [0, 0, 0, 1, 17, 900, 15_000, 29_999, 59_999, 60_000, 60_001, HOUR_MS, 7 * HOUR_MS];

function randomLimits(random: Random): UserLimits {
  const maybe = (values: readonly number[]) => (random.below(4) === 0 ? null : random.pick(values));
  return {
    requestsPerMinute: random.pick([1, 2, 5, 40]),
    tokensPerDay: maybe([1, 500, 2000]),
    maxParallel: maybe([1, 3]),
    budgetDayMicros: maybe([1, 400, 3_000]),
    budgetMonthMicros: maybe([1, 400, 9_000]),
  };
}

const counts = (nodes: Iterable<LimitNode>) =>
  [...nodes].map(({ limits: { leases, held, waiting } }) => ({ leases, held, waiting }));
const NOTHING = { leases: 0, held: 0, waiting: 0 };

/** Three nodes and the limits of a single server, which get the same calls at the same times. */
function createTwins(random: Random) {
  const scene = createLimitNodes({ writtenMs: () => 0 });
  for (const name of NAMES) scene.add(name);
  const { clock, elapsedMs } = scene;
  const single = createLimits({ now: clock.now, elapsedMs });
  const limitsOf = new Map(USERS.map((user) => [user, randomLimits(random)]));
  const own = (user: string) => limitsOf.get(user) ?? randomLimits(random);
  const anyNode = () => scene.at(random.pick(NAMES));
  const seen = new Map<string, number>();
  const hadBudget = new Set<string>();
  let held: { lease: Lease; twin: LocalLease; mayReserve: boolean }[] = [];
  const both = async (shared: Parameters<typeof outcomeOf>[0], alone: Parameters<typeof outcomeOf>[0]) => {
    const [one, other] = [await scene.until(outcomeOf(shared)), await outcomeOf(alone)];
    const { lease, ...found } = one;
    const { lease: twin, ...wanted } = other;
    expect(found).toEqual(wanted);
    return { outcome: found.outcome, lease, twin };
  };
  const note = (outcome: string) => seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  return {
    ...{ scene, seen },
    async ask(user: string) {
      const [node, principal] = [anyNode(), userPrincipal(user)];
      const { outcome, lease, twin } = await both(
        () => node.limits.admit(principal, own(user)),
        () => single.admit(principal, own(user)),
      );
      note(outcome);
      if (hasBudget(own(user))) hadBudget.add(`${node.name} ${user}`);
      if (lease && twin) held.push({ lease, twin: twin as LocalLease, mayReserve: true });
      expect(node.limits.standing(user, own(user))).toEqual(single.standing(user, own(user)));
    },
    async reserve() {
      const entry = held.filter(({ mayReserve }) => mayReserve)[random.below(held.length + 1)];
      if (!entry) return;
      entry.mayReserve = false;
      const tokens = random.pick([0, 1, 60, 900]);
      const spent = { tokens, costNanos: tokens * random.pick([0, 700]) };
      const { outcome } = await both(
        () => entry.lease.reserve(() => spent),
        () => entry.twin.reserve(() => spent),
      );
      note(`reserved: ${outcome}`);
      if (outcome === "ok") return;
      entry.lease.end();
      entry.twin.end();
    },
    async end() {
      const entry = held[random.below(held.length + 1)];
      if (!entry) return;
      entry.lease.end();
      entry.twin.end();
      entry.mayReserve = false;
      if (random.below(3) > 0) held = held.filter((other) => other !== entry);
      await scene.turn();
    },
    async count(user: string) {
      // An ask that is counted was admitted at the same node.
      const name = random.pick(NAMES);
      if (!hadBudget.has(`${name} ${user}`)) return;
      await scene.pass(1);
      const [node, at] = [scene.at(name), clock.now() - random.pick([0, 1000, HOUR_MS])];
      const spent = { tokens: 30, costNanos: random.pick([0, 20_000]) };
      scene.usage.record(user, 30, at, clock.now(), spent.costNanos);
      node.limits.countSpent(userPrincipal(user), spent, at, clock.now());
      single.countSpent(userPrincipal(user), spent, at);
      await scene.turn();
    },
    async show(user: string) {
      const node = anyNode();
      await scene.until(node.limits.refresh(user, own(user)) ?? Promise.resolve());
      expect(node.limits.standing(user, own(user))).toEqual(single.standing(user, own(user)));
    },
    change: (user: string) => void limitsOf.set(user, randomLimits(random)),
    pass: (ms: number) => scene.pass(ms, Math.max(ms, 1)),
    async endAll() {
      for (const { lease, twin } of held) {
        lease.end();
        twin.end();
      }
      await scene.turn();
    },
  };
}

const STEPS_MAX = 20_000;
const OUTCOMES = [
  "limit_parallel",
  "limit_requests",
  "limit_tokens",
  "limit_budget_day",
  "limit_budget_month",
  "limit_budget_reserved",
  "ok",
  "reserved: ok",
];

const seed = chooseSeed();
test(`three nodes that stay have the results of a single server in 3,000 random steps or more (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const twins = createTwins(random);
  const steps: [times: number, step: (user: string) => void | Promise<void>][] = [
    [60, twins.ask],
    [20, twins.reserve],
    [20, twins.end],
    [8, twins.count],
    [8, twins.show],
    [9, () => twins.pass(random.pick(STEPS_MS))],
    [2, twins.change],
  ];
  const choices = steps.flatMap(([times, step]) => Array<typeof step>(times).fill(step));
  const isEachSeen = () => OUTCOMES.every((outcome) => (twins.seen.get(outcome) ?? 0) > 5);
  // Chance makes some outcomes rare.
  for (let step = 0; step < 3_000 || (step < STEPS_MAX && !isEachSeen()); step++)
    await random.pick(choices)(random.pick(USERS));
  await twins.endAll();
  expect(counts(twins.scene.nodes.values())).toEqual([NOTHING, NOTHING, NOTHING]);
  expect(twins.scene.logged).toEqual([]);
  for (const outcome of OUTCOMES) expect(twins.seen.get(outcome) ?? 0).toBeGreaterThan(5);
});
