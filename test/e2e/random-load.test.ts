import { expect, test } from "bun:test";
import { runRandomLoad } from "../fuzz/random-load.ts";
import { chooseSeed } from "../support/random.ts";

const seed = chooseSeed();

test(`5,000 random requests and 5,000 random frames of agents cause no fault (SEED=${seed})`, async () => {
  const report = await runRandomLoad({ requests: 5000, frames: 5000, seed, connections: 48 });
  expect(report.faults).toEqual([]);
  expect(report.requests).toBeGreaterThan(4000);
  expect(report.frames).toBeGreaterThanOrEqual(5000);
  // Otherwise the requests would be less varied than they should be.
  for (const status of ["101", "200", "204", "400", "401", "404", "405", "414"])
    expect(Object.keys(report.outcomes)).toContain(status);
});
