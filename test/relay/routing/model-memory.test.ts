import { expect, test } from "bun:test";
import { ModelMemory } from "../../../src/relay/routing/model-memory.ts";

const models = (...loaded: string[]) => ["a", "b", "c"].map((id) => ({ id, loaded: loaded.includes(id) }));

test("an upstream has those models in memory that it tells of, and it is not known of others", () => {
  const memory = new ModelMemory();
  memory.report([...models("a"), { id: "paid" }]);
  expect(["a", "b", "paid", "unknown"].map((id) => memory.has(id))).toEqual([
    true,
    false,
    undefined,
    undefined,
  ]);
});

test("an upstream that holds one model has lost it once it is asked for another, until it tells", () => {
  const memory = new ModelMemory();
  memory.report(models("a"));
  expect([memory.use("a", 0), memory.use("paid", 0), memory.use("b", 0)]).toEqual([false, false, true]);
  expect([memory.has("a"), memory.has("b")]).toEqual([false, true]);
  memory.report(models("a", "b"));
  expect([memory.has("a"), memory.has("b")]).toEqual([true, true]);
  // It holds two, so that the one used least recently has to leave.
  memory.use("a", 1);
  memory.use("c", 1);
  expect([memory.has("a"), memory.has("b"), memory.has("c")]).toEqual([true, false, true]);
});

test("a model that was loaded is kept for three times as long as that took, within 10 to 60 s", () => {
  const memory = new ModelMemory();
  memory.report(models("a"));
  expect(memory.keptMs(0)).toBeLessThan(0);
  memory.use("b", 1_000);
  expect(memory.keptMs(1_000)).toBe(10_000);
  memory.noteLoad(8_000);
  expect(memory.keptMs(1_000)).toBe(24_000);
  memory.noteLoad(1_000_000);
  expect(memory.keptMs(1_000)).toBe(60_000);
});
