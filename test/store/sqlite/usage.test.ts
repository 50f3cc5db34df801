import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { ADMIN } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";
import { openTestFile, openTestStore, tempFolder } from "../../support/store.ts";
import { usageRow as ask } from "../../support/usage-row.ts";
import { turnsDuring } from "../turns-during.ts";

const FLUSH_MS = 1_000;
const RETRY_MS = 1_000;

/** Returns a store in a file, a fake clock, and a second connection that sees only what is written. */
function scene() {
  const path = join(tempFolder(), "server.db");
  const clock = createFakeClock();
  const errors: Error[] = [];
  const store = openTestFile(path, {
    now: clock.now,
    after: clock.after,
    onError: (error) => errors.push(error),
  });
  const onDisk = new Database(path);
  onTestFinished(() => onDisk.close());
  const rows = () => onDisk.query<Record<string, unknown>, []>("SELECT * FROM usage ORDER BY seq").all();
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  return { ...store, path, clock, errors, onDisk, rows, pass };
}

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };
const total = async (usage: ReturnType<typeof openTestStore>["usage"]) =>
  (await usage.sum({ ...EVER, by: [] }))[0]?.asks ?? 0;

test("a usage row is written behind, once, with all its values", async () => {
  const { usage, rows, pass, clock } = scene();
  usage.record(ask({ queueMs: 1.4, firstByteMs: 29.6, durationMs: 400.5, costNanos: 12_345 }));
  usage.record(
    ask({
      principal: ADMIN,
      agent: undefined,
      model: undefined,
      upstreamStatus: undefined,
      firstByteMs: undefined,
    }),
  );
  expect(rows()).toEqual([]);
  await pass(FLUSH_MS);
  expect(clock.pending()).toBe(0);
  expect(rows()).toEqual([
    {
      seq: 1,
      at: 1_000,
      request_id: "req_1",
      user_id: "ann",
      agent: "x",
      model: "llama",
      surface: "chat",
      outcome: "ok",
      status: 200,
      tries: 1,
      queue_ms: 1,
      first_byte_ms: 30,
      duration_ms: 401,
      prompt_tokens: 10,
      completion_tokens: 20,
      cached_tokens: null,
      cache_creation_tokens: null,
      reasoning_tokens: null,
      tokens_estimated: 0,
      agent_name: null,
      error: null,
      failures: null,
      cost_nanos: 12_345,
      is_affine: null,
      audio_ms: null,
      images: null,
      search_units: null,
      input_bytes: null,
      output_bytes: null,
    },
    expect.objectContaining({
      seq: 2,
      user_id: null,
      agent: null,
      model: null,
      status: null,
      first_byte_ms: null,
    }),
  ]);
});

describe("when writing usage fails", () => {
  test("a failed write of usage is reported and retried, and at most 10,000 rows wait: the oldest are dropped", async () => {
    const { usage, onDisk, errors, rows, pass } = scene();
    onDisk.run("ALTER TABLE usage RENAME TO broken");
    for (let index = 0; index < 10_003; index++) usage.record(ask({ requestId: `${index}` }));
    await pass(FLUSH_MS);
    expect(String(errors[0])).toContain("10000 usage rows could not be written, 3 were dropped");
    onDisk.run("ALTER TABLE broken RENAME TO usage");
    await pass(RETRY_MS);
    expect(errors).toHaveLength(1);
    await usage.purge(0);
    expect(rows()).toHaveLength(10_000);
    expect(rows()[0]?.["request_id"]).toBe("3");
  });
});

test("summing many rows lets the event loop run in between", async () => {
  const { usage } = openTestStore();
  for (let round = 0; round < 4; round++) {
    for (let index = 0; index < 9_000; index++) usage.record(ask({ at: round * 9_000 + index }));
    await usage.purge(0);
  }
  const turns = await turnsDuring(async () => expect(await total(usage)).toBe(36_000));
  expect(turns).toBeGreaterThanOrEqual(6);
});
