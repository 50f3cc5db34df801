import { expect, test } from "bun:test";
import { reportOf } from "../chaos/report.ts";
import { type RunOptions, runChaos } from "../chaos/run.ts";
import { whatIsMissing } from "../chaos/services.ts";
import { EXECUTABLE } from "../support/executable.ts";
import { findProgram } from "../support/programs.ts";
import { chooseSeed } from "../support/random.ts";

const seed = chooseSeed();

/** Defines a test that runs nodes with faults for about this time, or is skipped if something is not installed. */
function testChaos(title: string, options: Pick<RunOptions, "nodeCount" | "seconds" | "kinds" | "balancer">) {
  const { balancer } = options;
  const isBalancerMissing = balancer !== undefined && findProgram(balancer) === undefined;
  const missing = whatIsMissing() ?? (isBalancerMissing ? `install ${balancer}` : undefined);
  if (missing !== undefined) return void test.skip(`${title} (skipped: ${missing})`, () => {});
  test(`${title} (SEED=${seed})`, async () => {
    const isCluster = options.nodeCount > 1;
    const result = await runChaos({ ...options, seed, isCluster, callers: 24, command: [EXECUTABLE] });
    const { text, violations } = reportOf(result);
    await result.remove(violations > 0);
    expect(violations > 0 ? `${text}Logs: ${result.folders.join(" ")}` : "").toBe("");
    expect(result.logs.callers.length).toBeGreaterThan(500);
  });
}

testChaos("one server loses no request that it could answer, and leaves nothing behind", {
  nodeCount: 1,
  seconds: 30,
});

testChaos("three nodes answer each request once, whatever fails, and leave nothing behind", {
  nodeCount: 3,
  seconds: 60,
});

testChaos("an upgrade of nodes behind nginx fails no request and cuts no stream", {
  ...{ nodeCount: 3, seconds: 30, balancer: "nginx" },
  kinds: ["upgrade"],
});
