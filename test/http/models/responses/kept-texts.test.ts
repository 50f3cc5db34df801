import { describe, expect, test } from "bun:test";
import { KeptTexts } from "../../../../src/http/models/responses/kept-texts.ts";
import { createFakeClock } from "../../../support/clock.ts";
import { chooseSeed, createRandom } from "../../../support/random.ts";

const AGE_MS = 1000;

function scene(bytesMax = 100_000) {
  const clock = createFakeClock();
  return { clock, kept: new KeptTexts({ bytesMax, ageMs: AGE_MS, now: clock.now }) };
}

/** Takes about a tenth of the bytes of one owner. */
const text = (mark: string) => mark.repeat(1000);

describe("kept texts", () => {
  test("a text is returned to its owner and to nobody else, the administrator included", () => {
    const { kept } = scene();
    kept.set("ann", "1", "of ann");
    kept.set(null, "2", "of the administrator");
    expect(kept.get("ann", "1")).toBe("of ann");
    expect(kept.get(null, "2")).toBe("of the administrator");
    for (const [owner, id] of [
      ["eve", "1"],
      [null, "1"],
      ["ann", "2"],
      ["null", "2"],
    ] as const)
      expect(kept.get(owner, id)).toBeUndefined();
  });

  test("a text that was not used for its time is forgotten, and its bytes are free at the next sweep", () => {
    const { kept, clock } = scene();
    kept.set("ann", "1", "a");
    clock.advance(AGE_MS - 1);
    expect(kept.get("ann", "1")).toBe("a");
    clock.advance(AGE_MS - 1);
    expect(kept.get("ann", "1")).toBe("a");
    clock.advance(AGE_MS);
    expect(kept.get("ann", "1")).toBeUndefined();
    for (const owner of ["eve", "bob"]) kept.set(owner, "1", "b");
    clock.advance(60_000);
    kept.set("ann", "1", "");
    const { bytes } = kept;
    kept.forget("ann");
    expect(kept.bytes).toBe(0);
    expect(bytes).toBeGreaterThan(0);
  });

  test("an owner with too many texts loses those that they used longest ago, and nobody else loses any", () => {
    const { kept } = scene();
    kept.set("eve", "1", text("e"));
    for (let count = 0; count < 100; count++) {
      kept.set("ann", String(count), text("a"));
      expect(kept.get("ann", "0")).toBe(text("a"));
    }
    expect(kept.get("ann", "50")).toBeUndefined();
    expect(kept.get("ann", "99")).toBe(text("a"));
    expect(kept.get("eve", "1")).toBe(text("e"));
  });

  test("a text that is larger than the share of one owner is not kept, and displaces nothing", () => {
    const { kept } = scene();
    kept.set("ann", "1", "a");
    kept.set("ann", "2", "a".repeat(20_000));
    expect([kept.get("ann", "1"), kept.get("ann", "2")]).toEqual(["a", undefined]);
  });

  test("forgetting an owner leaves the texts of others", () => {
    const { kept } = scene();
    kept.set("ann", "1", "a");
    kept.set("eve", "1", "e");
    kept.forget("ann");
    kept.forget("nobody");
    expect([kept.get("ann", "1"), kept.get("eve", "1")]).toEqual([undefined, "e"]);
  });

  const seed = chooseSeed();
  test(`the bytes are bounded and add up, whatever happens (SEED=${seed})`, () => {
    const random = createRandom(seed);
    const { kept, clock } = scene();
    const owners = [null, ...Array.from({ length: 12 }, (_, index) => `user ${index}`)];
    const get = (owner: string | null, id: string) => {
      const found = kept.get(owner, id);
      if (found !== undefined) expect(found).toStartWith(`${owner} ${id} `);
    };
    const set = (owner: string | null, id: string) =>
      kept.set(owner, id, `${owner} ${id} ${"x".repeat(random.below(15_000))}`);
    const actions = [
      ...Array.from({ length: 12 }, () => set),
      ...Array.from({ length: 6 }, () => get),
      (owner: string | null) => kept.forget(owner),
      () => void clock.advance(random.below(AGE_MS / 2)),
    ];
    for (let step = 0; step < 20_000; step++) {
      random.pick(actions)(random.pick(owners), String(random.below(40)));
      expect(kept.bytes).toBeLessThanOrEqual(100_000);
    }
    for (const owner of owners) kept.forget(owner);
    expect(kept.bytes).toBe(0);
  });
});
