import { expect, test } from "bun:test";
import { MINUTE_MS } from "../../../src/durations.ts";
import { scanTraffic } from "../../../src/http/traffic/scan.ts";
import { totalOf } from "../../../src/http/traffic/totals.ts";
import type { RequestPage, RequestQuery, StoredRequest } from "../../../src/store/store.ts";
import { openTestStore } from "../../support/store.ts";
import { usageRow } from "../../support/usage-row.ts";

const PERIOD = { from: 100 * MINUTE_MS, to: 110 * MINUTE_MS, everyMs: MINUTE_MS };

test("requests count in the step in which they end, and only those of the period", async () => {
  const { usage } = openTestStore();
  const record = (minute: number, durationMs = 0) =>
    usage.record(usageRow({ at: minute * MINUTE_MS, durationMs, costNanos: 3_500 }));
  record(99, 2 * MINUTE_MS);
  record(103, 30_000);
  record(99, 30_000);
  record(109, 5 * MINUTE_MS);
  record(111);
  const { steps, groups, since } = await scanTraffic(usage, {
    ...{ ...PERIOD, filters: { model: "llama", user: "ann" }, by: "agent" },
  });
  expect(steps.map(({ at }) => at / MINUTE_MS).toSorted()).toEqual([101, 103]);
  expect(groups).toMatchObject([{ name: "x" }]);
  expect(await totalOf(groups)).toMatchObject({ asks: 2, prompt_tokens: 20, first_byte_ms_p50: 29 });
  // The rows have costs, but do not tell which answers were streamed.
  expect(await totalOf(groups)).toMatchObject({ cost: 0.000007, tokens_per_second: null });
  expect(since).toBeUndefined();
});

test("a scan of many requests is bounded, and says from when on it has counted", async () => {
  let pages = 0;
  const row = {
    at: 105 * MINUTE_MS,
    durationMs: 0,
    userId: "ann",
    outcome: "ok",
    queueMs: 0,
    agentName: null,
  };
  const page = (rows: number): RequestPage => ({
    requests: Array.from(
      { length: rows },
      (_, index) => ({ ...row, model: `${pages} ${index}` }) as StoredRequest,
    ),
    next: { at: row.at - ++pages, key: "0" },
  });
  const full = await scanTraffic(
    { list: async ({ limit }: RequestQuery) => page(limit) },
    { ...PERIOD, filters: { user: "ann" }, by: "model" },
  );
  expect(await totalOf(full.steps)).toMatchObject({ asks: 50_000 });
  expect(full.since).toBe(row.at - 50);
  expect(full.groups).toHaveLength(1_001);
  pages = 0;
  const rare = await scanTraffic({ list: async () => page(0) }, { ...PERIOD, filters: { user: "ann" } });
  expect([rare.steps, pages]).toEqual([[], 60]);
});
