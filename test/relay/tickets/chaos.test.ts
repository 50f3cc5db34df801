import { expect, test } from "bun:test";
import { chooseSeed } from "../../support/random.ts";
import { Chaos, type Faults } from "./chaos.ts";

const seed = chooseSeed();
/** The number of runs of each kind, each with a seed of its own from the first one on. */
const runs = Number(process.env["RUNS"] ?? 15);

test.each<Faults>(["none", "links", "all"])(
  `three nodes give each ask one outcome and leave nothing behind, with faults: %s (SEED=${seed})`,
  async (mode) => {
    const seen = { asks: 0, answered: 0, lent: 0 };
    for (let run = 0; run < runs; run++) {
      const chaos = new Chaos(seed + run, mode);
      await chaos.run();
      expect(chaos.faults, `SEED=${seed + run}`).toEqual([]);
      seen.asks += chaos.asked.length;
      seen.answered += chaos.asked.filter(({ outcome }) => /^(200|echo)/.test(outcome ?? "")).length;
      for (const { run: taken, substituted } of chaos.offers) seen.lent += taken + substituted;
    }
    expect(seen.answered).toBeGreaterThan(seen.asks / 4);
    expect(seen.lent).toBeGreaterThan(seen.asks / 50);
  },
  600_000,
);
