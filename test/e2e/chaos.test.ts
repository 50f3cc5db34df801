import { expect, test } from "bun:test";
import { reportOf } from "../chaos/report.ts";
import { runChaos } from "../chaos/run.ts";
import { whatIsMissing } from "../chaos/services.ts";
import { EXECUTABLE } from "../support/executable.ts";
import { chooseSeed } from "../support/random.ts";

const seed = chooseSeed();
const missing = whatIsMissing();
const SECONDS = 60;

for (const nodeCount of [1])
  test.skipIf(missing !== undefined)(
    `${nodeCount} nodes answer every request that they can, and leave nothing behind, whatever fails (${missing ? `skipped: ${missing}` : `SEED=${seed}`})`,
    async () => {
      const options = { nodeCount, seed, seconds: SECONDS, callers: 24, isCluster: nodeCount > 1 };
      const result = await runChaos({ ...options, command: [EXECUTABLE] });
      const { text, violations } = reportOf(result);
      await result.remove(violations > 0);
      expect(violations > 0 ? text : "").toBe("");
      expect(result.logs.callers.length).toBeGreaterThan(500);
    },
  );
