import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { Results } from "../../../src/relay/health/results.ts";
import { createRelayBench } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

const error = new AppError("agent_failed");

/** Returns the results of requests: `x` failed and `.` succeeded, one a second. */
function resultsOf(outcomes: string): Results {
  const results = new Results();
  for (const [index, outcome] of [...outcomes].entries()) {
    if (outcome === "x") results.failed(error, index * 1_000);
    else results.succeeded();
  }
  return results;
}

test.each([
  ["", undefined],
  ["xx", undefined],
  ["xxx", 0],
  ["...xxx", 3_000],
  [".....xxx", undefined],
  ["x.x.x.x.x.", 0],
  ["x..xxx", 3_000],
  [`${"x".repeat(30)}${".".repeat(11)}`, undefined],
  [`${".".repeat(30)}${"x".repeat(222)}`, 30_000],
])("an agent with the results %p is failing since %p", (outcomes, since) => {
  expect(resultsOf(outcomes).failingSince).toBe(since);
});

test("the results are of the last 20 requests", () => {
  expect(resultsOf(`${"x".repeat(9)}${".".repeat(15)}`).counts).toEqual({ requests: 20, failed: 5 });
});

test("an agent is slow if half of its answers take longer than 20 s to begin", () => {
  const results = new Results();
  for (const waitMs of [90_000, 25_000]) results.began(waitMs);
  expect([results.firstByteMs, results.isSlow]).toEqual([undefined, false]);
  results.began(100);
  expect([results.firstByteMs, results.isSlow]).toEqual([25_000, true]);
  for (let times = 0; times < 3; times++) results.began(100);
  expect(results.isSlow).toBe(false);
});

const recordOf = (relay: ReturnType<typeof createRelayBench>["relay"]) =>
  [...relay.agents()].map(({ results }) => results?.counts ?? null);

test("failures that no other agent could mend count for the agent, but not those of the request itself", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", { protocol: "v2", slots: 1 });
  const fail = async (status: number) => {
    const asked = ask("hello", { model: "m" });
    const [sent] = agent.asks.splice(0, 1);
    agent.link.fail(sent?.slot ?? "", new AppError("agent_failed", { upstream: { status } }), false);
    await asked;
  };
  await fail(500);
  await fail(400);
  expect(recordOf(relay)).toEqual([{ requests: 1, failed: 1 }]);
  const good = ask("hello", { model: "m" });
  agent.answer();
  await good;
  expect(recordOf(relay)).toEqual([{ requests: 2, failed: 1 }]);
  relay.resetCircuits("a");
  expect(recordOf(relay)).toEqual([null]);
});
