import { describe, expect, test } from "bun:test";
import { DAY_MS } from "../../../src/durations.ts";
import { ADMIN, type Principal, principalOf, userIdOf, userPrincipal } from "../../../src/principal.ts";
import {
  USAGE_GROUPS,
  type UsageGroup,
  type UsageRow,
  type UsageStore,
  type UsageSum,
} from "../../../src/store/store.ts";
import { createFakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { usageRow as ask, NO_DETAILS, NO_MEDIA } from "../../support/usage-row.ts";
import { type BackEnd, countIn, openNew, type TestStoreOptions } from "./back-end.ts";

/** Opens a store whose clock stands still, so that nothing is written by itself. */
async function createScene(backEnd: BackEnd) {
  const data = await backEnd.create();
  const { now, after } = createFakeClock();
  return { ...(await data.open({ now, after })), data };
}

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };
async function tokensSince(usage: UsageStore, from: number) {
  const used = await usage.usedSince({ day: from, month: from });
  return Object.fromEntries(Array.from(used, ([user, { tokens }]) => [user, tokens]));
}
const total = async (usage: UsageStore) => (await usage.sum({ ...EVER, by: [] }))[0]?.asks ?? 0;

function groupValueOf(row: UsageRow, group: UsageGroup): string | null {
  if (group === "user") return userIdOf(row.principal);
  return group === "day" ? new Date(row.at).toISOString().slice(0, 10) : (row[group] ?? null);
}

function countByHand(rows: readonly UsageRow[], by: readonly UsageGroup[]): Record<string, number[]> {
  const counted: Record<string, number[]> = {};
  for (const row of rows) {
    if (row.at < DAY_MS) continue;
    const key = JSON.stringify(by.map((group) => groupValueOf(row, group)));
    const [asks = 0, tokens = 0] = counted[key] ?? [];
    counted[key] = [asks + 1, tokens + (row.inputTokens ?? 0)];
  }
  return counted;
}

const flat = (sums: readonly UsageSum[]) =>
  Object.fromEntries(
    sums.map(({ group, asks, inputTokens }) => [JSON.stringify(Object.values(group)), [asks, inputTokens]]),
  );

/** Defines the tests of usage. */
export function testUsage(backEnd: BackEnd): void {
  const openStore = (options?: TestStoreOptions) => openNew(backEnd, options);

  describe("a row of usage", () => {
    test("usage rows cut off names that are too long", async () => {
      const { usage, data } = await createScene(backEnd);
      usage.record(ask({ model: "x".repeat(100_000), agent: "y".repeat(300) }));
      await usage.purge(0);
      expect(await data.query("SELECT length(model) AS model, length(agent) AS agent FROM usage")).toEqual([
        { model: 256, agent: 256 },
      ]);
    });

    test("a usage row is written with all its values, and with null for those that are not known", async () => {
      const { usage, data } = await createScene(backEnd);
      const unknown = {
        agent: undefined,
        model: undefined,
        upstreamStatus: undefined,
        firstByteMs: undefined,
      };
      usage.record(
        ask({ queueMs: 1.4, firstByteMs: 29.6, durationMs: 400.5, costNanos: 9_007_199_254_740_991 }),
      );
      usage.record(ask({ ...unknown, requestId: "req_2", principal: ADMIN }));
      await usage.purge(0);
      const rows = await data.query("SELECT * FROM usage ORDER BY request_id");
      // Some databases return whole numbers as texts.
      const plain = (row: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            /^\d+$/.test(`${value}`) ? Number(value) : value,
          ]),
        );
      expect(rows.map(plain)).toMatchObject([
        {
          ...{ at: 1_000, request_id: "req_1", user_id: "ann", agent: "x", model: "llama", surface: "chat" },
          ...{ outcome: "ok", tries: 1, queue_ms: 1, first_byte_ms: 30, duration_ms: 401 },
          ...{ cached_tokens: null, cache_creation_tokens: null, reasoning_tokens: null },
          cost_nanos: 9_007_199_254_740_991,
        },
        { user_id: null, agent: null, model: null, status: null, first_byte_ms: null },
      ]);
    });

    test("a usage row counts at once, written or not", async () => {
      const { usage, data } = await createScene(backEnd);
      usage.record(ask());
      expect(await countIn(data, "usage")).toBe(0);
      expect(await total(usage)).toBe(1);
      usage.record(ask());
      expect(await tokensSince(usage, 0)).toEqual({ ann: 60 });
    });

    test("all usage rows are written when the store closes", async () => {
      const { usage, data, close } = await createScene(backEnd);
      for (let index = 0; index < 2_500; index++) usage.record(ask());
      await close();
      expect(await total((await data.open()).usage)).toBe(2_500);
    });

    test("a usage row outlives its user", async () => {
      const { usage, users } = await openStore();
      await users.add([{ id: "ann", tokenHash: "hash", sealedToken: Buffer.of() }]);
      usage.record(ask());
      await users.delete("ann");
      expect(await total(usage)).toBe(1);
    });

    test("a usage row may be reused by its caller after it was recorded", async () => {
      const { usage } = await openStore();
      const row = ask();
      for (let index = 0; index < 3; index++) usage.record(row);
      row.principal = userPrincipal("bob");
      expect(await tokensSince(usage, 0)).toEqual({ ann: 90 });
    });
  });

  describe("sums of usage", () => {
    test("sums of usage count failures, tokens, time, asks with estimated tokens, and asks without any", async () => {
      const { usage } = await openStore();
      usage.record(ask());
      usage.record(ask({ inputTokens: undefined, outputTokens: undefined }));
      usage.record(ask({ inputTokens: 100, outputTokens: 200, tokensEstimated: true }));
      usage.record(ask({ inputTokens: 1, outputTokens: undefined, outcome: "agent_lost" }));
      usage.record(
        ask({ agent: undefined, inputTokens: undefined, outputTokens: undefined, outcome: "no_agent" }),
      );
      expect(await usage.sum({ ...EVER, by: [] })).toEqual([
        {
          group: {},
          asks: 5,
          failed: 2,
          inputTokens: 111,
          outputTokens: 220,
          ...NO_DETAILS,
          estimated: 1,
          uncounted: 1,
          durationMs: 2_000,
          ...NO_MEDIA,
          costNanos: 0,
          unpriced: 4,
        },
      ]);
    });

    test("sums of usage count cached, cache creation and reasoning tokens apart, and not in a user's tokens", async () => {
      const { usage } = await openStore();
      const details = { cachedTokens: 6, cacheCreationTokens: 3, reasoningTokens: 15 };
      for (const row of [ask(details), ask(details), ask()]) usage.record(row);
      const [sum] = await usage.sum({ ...EVER, by: [] });
      expect(sum).toMatchObject({
        ...{ inputTokens: 30, outputTokens: 60 },
        ...{ cachedTokens: 12, cacheCreationTokens: 6, reasoningTokens: 30 },
      });
      expect(await tokensSince(usage, 0)).toEqual({ ann: 90 });
    });

    test("sums of usage add up audio, images, search units and bytes, of the asks that have any", async () => {
      const { usage } = await openStore();
      usage.record(ask({ media: { audioMs: 8_470, inputBytes: 3_000_000_000, outputBytes: 12 } }));
      usage.record(ask({ media: { audioMs: 30, inputBytes: 1, outputBytes: undefined } }));
      usage.record(ask({ media: { images: 2, inputBytes: 5, outputBytes: 7 } }));
      for (const searchUnits of [1, 3]) usage.record(ask({ media: { searchUnits } }));
      usage.record(ask());
      expect(await usage.sum({ ...EVER, by: [] })).toMatchObject([
        {
          ...{ asks: 6, audioMs: 8_500, images: 2, searchUnits: 4 },
          ...{ inputBytes: 3_000_000_006, outputBytes: 19 },
        },
      ]);
    });

    test("there are no sums of usage without asks", async () => {
      const { usage } = await openStore();
      expect(await usage.sum({ ...EVER, by: [] })).toEqual([]);
      expect(await usage.sum({ ...EVER, by: ["user", "day"] })).toEqual([]);
    });

    test("sums of usage include the beginning of the period and exclude its end", async () => {
      const { usage } = await openStore();
      for (const at of [9, 10, 19, 20]) usage.record(ask({ at, requestId: `${at}` }));
      const [sum] = await usage.sum({ from: 10, to: 20, by: [], limit: 1 });
      expect(sum?.asks).toBe(2);
      expect(await usage.sum({ from: 20, to: 10, by: [], limit: 1 })).toEqual([]);
    });

    test("sums of usage can be limited to one user or to the admin", async () => {
      const { usage } = await openStore();
      const [ann, bob] = [userPrincipal("ann"), userPrincipal("bob")];
      for (const principal of [ann, ann, bob, ADMIN]) usage.record(ask({ principal }));
      const asks = async (principal: Principal) =>
        (await usage.sum({ ...EVER, by: ["user"], principal })).map(({ group, asks }) => [group.user, asks]);
      expect(await asks(ann)).toEqual([["ann", 2]]);
      expect(await asks(ADMIN)).toEqual([[null, 1]]);
      expect(await asks(userPrincipal("nobody"))).toEqual([]);
    });

    test("sums of usage are sorted by UTC day, then by most asks, up to the limit", async () => {
      const { usage } = await openStore();
      const noon = Date.UTC(2026, 10, 23, 12);
      usage.record(ask({ at: Date.UTC(2026, 10, 23, 23, 59, 59, 999), model: "qwen" }));
      usage.record(ask({ at: Date.UTC(2026, 10, 24), model: "qwen" }));
      for (let index = 0; index < 3; index++) usage.record(ask({ at: noon }));
      const sums = await usage.sum({ ...EVER, by: ["model", "day"], limit: 2 });
      expect(sums.map(({ group, asks }) => [group, asks])).toEqual([
        [{ model: "llama", day: "2026-11-23" }, 3],
        [{ model: "qwen", day: "2026-11-23" }, 1],
      ]);
    });

    const seed = chooseSeed();
    test(`sums of usage agree with counting by hand, for every choice of groups (SEED=${seed})`, async () => {
      const { usage } = await openStore();
      const random = createRandom(seed);
      // More than two slices, many of them within one millisecond.
      const rows = Array.from({ length: 12_000 }, () =>
        ask({
          at: random.below(2) === 0 ? 7 * DAY_MS : random.below(5 * DAY_MS),
          principal: principalOf([null, "ann", "bob"][random.below(3)] ?? null),
          agent: ["x", "y"][random.below(2)],
          model: ["a", "b"][random.below(3)],
          inputTokens: random.below(100),
        }),
      );
      for (const row of rows.slice(0, 9_000)) usage.record(row);
      await usage.purge(0);
      for (const row of rows.slice(9_000)) usage.record(row);
      for (let choice = 0; choice < 2 ** USAGE_GROUPS.length; choice++) {
        const by = USAGE_GROUPS.filter((_, bit) => choice & (1 << bit));
        const wanted = { from: DAY_MS, to: 8 * DAY_MS, by, limit: 1_000 };
        expect(flat(await usage.sum(wanted))).toEqual(countByHand(rows, by));
      }
    });
  });

  test("the tokens of each user are summed from a given time on", async () => {
    const { usage } = await openStore();
    usage.record(ask({ at: 99 }));
    usage.record(ask({ at: 100, outputTokens: undefined }));
    usage.record(ask({ at: 200 }));
    usage.record(ask({ at: 200, principal: ADMIN, inputTokens: undefined, outputTokens: undefined }));
    expect(await tokensSince(usage, 100)).toEqual({ ann: 40 });
  });

  test("the tokens of some users are summed over the asks that ended before a given time", async () => {
    const { usage } = await openStore();
    const bob = { principal: userPrincipal("bob") };
    usage.record(ask({ at: 99, durationMs: 5 }));
    usage.record(ask({ at: 100, durationMs: 50.4 }));
    usage.record(ask({ at: 100, durationMs: 50.5 }));
    usage.record(ask({ at: 120, durationMs: 5, ...bob }));
    usage.record(ask({ at: 120, durationMs: 5, principal: userPrincipal("eve") }));
    const period = { from: 100, endedBefore: 151 };
    const spent = await usage.spentByUsers(["ann", "bob", "joe", "O'Neil"], period);
    expect(Object.fromEntries(spent)).toEqual({
      ann: { tokens: 30, costNanos: 0 },
      bob: { tokens: 30, costNanos: 0 },
    });
    expect(await usage.spentByUsers([], period)).toEqual(new Map());
  });

  test("a purge deletes the usage rows before the limit in batches, and returns their number", async () => {
    const { usage } = await openStore();
    for (let at = 0; at < 2_500; at++) usage.record(ask({ at }));
    expect(await usage.purge(2_400)).toBe(2_400);
    expect(await total(usage)).toBe(100);
    expect(await usage.purge(2_400)).toBe(0);
  });
}
