import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { openTestFile, tempFolder } from "../../support/store.ts";
import { usageRow as ask, NO_DETAILS, NO_MEDIA } from "../../support/usage-row.ts";

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };

test("sums of usage count a row with implausible tokens as uncounted, and never overflow", async () => {
  const path = join(tempFolder(), "server.db");
  const { usage } = openTestFile(path);
  const [MOST, HUGE] = [100_000_000, 9_007_199_254_740_991];
  for (let index = 0; index < 1_100; index++) usage.record(ask({ inputTokens: HUGE, outputTokens: 0 }));
  for (const inputTokens of [MOST, MOST + 1, -1]) usage.record(ask({ inputTokens, durationMs: HUGE }));
  await usage.purge(0);
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  for (const [input, duration] of [
    ["9223372036854775807", "9223372036854775807"],
    ["-9223372036854775808", "-1"],
    ["9e999", "9e999"],
    ["1.5", "1.5"],
    ["'many'", "'long'"],
    ["x'00ff'", "x'00ff'"],
  ])
    onDisk.run(`UPDATE usage SET prompt_tokens = ${input}, duration_ms = ${duration}
      WHERE seq = (SELECT max(seq) FROM usage WHERE prompt_tokens = ${HUGE})`);
  const parts = { ...NO_DETAILS, ...NO_MEDIA };
  const sums = { failed: 0, inputTokens: MOST, outputTokens: 20, ...parts, durationMs: 1_094 * 400 };
  const costs = { costNanos: 0, unpriced: 1_103 };
  expect(await usage.sum({ ...EVER, by: ["user"] })).toEqual([
    { group: { user: "ann" }, asks: 1_103, estimated: 0, uncounted: 1_102, ...sums, ...costs },
  ]);
  expect((await usage.usedSince({ day: 0, month: 0 })).get("ann")?.tokens).toBe(MOST + 20);
  expect(await usage.implausibleSince(0)).toBe(1_102);
  expect(await usage.implausibleSince(1_001)).toBe(0);
});

test("sums of usage count as estimated what says so, and only with plausible tokens", async () => {
  const path = join(tempFolder(), "server.db");
  const { usage } = openTestFile(path);
  usage.record(ask({ tokensEstimated: true }));
  usage.record(ask({ tokensEstimated: true, inputTokens: -1 }));
  await usage.purge(0);
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  for (const value of ["NULL", "2", "-1", "1.5", "'1'", "x'01'"]) {
    usage.record(ask());
    await usage.purge(0);
    onDisk.run(`UPDATE usage SET tokens_estimated = ${value} WHERE seq = (SELECT max(seq) FROM usage)`);
  }
  // SQLite stores the text '1' as the number in a column of integers.
  expect(await usage.sum({ ...EVER, by: [] })).toEqual([
    expect.objectContaining({ asks: 8, estimated: 2, uncounted: 1 }),
  ]);
});

test("sums of usage leave out cached and reasoning tokens that cannot be right, and count the rest of the row", async () => {
  const path = join(tempFolder(), "server.db");
  const { usage } = openTestFile(path);
  usage.record(ask({ cachedTokens: 4, cacheCreationTokens: 5, reasoningTokens: 6 }));
  usage.record(ask({ cachedTokens: 1, cacheCreationTokens: 1, reasoningTokens: 1, inputTokens: -1 }));
  await usage.purge(0);
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  for (const value of ["9223372036854775807", "-1", "1.5", "'many'", "x'00ff'"]) {
    usage.record(ask());
    await usage.purge(0);
    onDisk.run(`UPDATE usage SET cached_tokens = ${value}, reasoning_tokens = ${value}
      WHERE seq = (SELECT max(seq) FROM usage)`);
  }
  expect(await usage.sum({ ...EVER, by: ["user"] })).toEqual([
    expect.objectContaining({
      ...{ asks: 7, uncounted: 1, inputTokens: 60, outputTokens: 120 },
      ...{ cachedTokens: 4, cacheCreationTokens: 5, reasoningTokens: 6 },
    }),
  ]);
});

test("sums of usage leave out a cost that cannot be right, and count its row as one without a price", async () => {
  const path = join(tempFolder(), "server.db");
  const { usage } = openTestFile(path);
  usage.record(ask({ costNanos: 40 }));
  await usage.purge(0);
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  for (const value of ["9223372036854775807", "-1", "1.5", "'many'", "x'00ff'"]) {
    usage.record(ask({ costNanos: 1 }));
    await usage.purge(0);
    onDisk.run(`UPDATE usage SET cost_nanos = ${value} WHERE seq = (SELECT max(seq) FROM usage)`);
  }
  expect(await usage.sum({ ...EVER, by: ["user"] })).toEqual([
    expect.objectContaining({ asks: 6, costNanos: 40, unpriced: 5 }),
  ]);
  expect((await usage.usedSince({ day: 0, month: 0 })).get("ann")?.monthNanos).toBe(40);
});
