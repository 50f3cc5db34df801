import { expect, test } from "bun:test";
import { MINUTE_MS } from "../../../src/durations.ts";
import { userPrincipal } from "../../../src/principal.ts";
import { NO_LIMITS } from "../../support/limits-bench.ts";
import { drain, LIMIT, NAMES, PER_MINUTE, userOf } from "./limit-load.ts";
import { askAt, createLimitNodes } from "./limit-nodes.ts";

/** How far the clock of each node is ahead. */
const AHEAD_MS: Record<string, number> = { n1: -10 * MINUTE_MS, n2: 0, n3: 10 * MINUTE_MS };

function scene() {
  const made = createLimitNodes();
  for (const name of NAMES) made.add(name, AHEAD_MS[name]);
  return made;
}

test("requests of a minute and in parallel are counted exactly, whatever the clocks of the nodes say", async () => {
  for (const home of NAMES) {
    const nodes = scene();
    const user = userOf(nodes, home);
    expect(await drain(nodes, NAMES, user, PER_MINUTE)).toBe(LIMIT);
    await nodes.pass(MINUTE_MS + 1_000, 1_000);
    expect(await drain(nodes, NAMES, user, PER_MINUTE)).toBe(LIMIT);
    const one = { ...NO_LIMITS, maxParallel: 1 };
    const { lease } = await nodes.until(askAt(nodes.at("n1"), user, one));
    for (const name of ["n1", "n2", "n3"])
      expect((await nodes.until(askAt(nodes.at(name), user, one))).outcome).toBe("limit_parallel");
    lease?.end();
  }
});

test("the requests of a minute move with their home, whatever the clocks say", async () => {
  const nodes = scene();
  const user = userOf(nodes, "n3");
  expect(await drain(nodes, NAMES, user, PER_MINUTE)).toBe(LIMIT);
  nodes.leave("n3");
  await nodes.turn();
  expect(await drain(nodes, ["n1", "n2"], user, PER_MINUTE)).toBe(0);
});

test("tokens count once, up to 5 minutes and the difference of the clocks late", async () => {
  const tokens = { ...NO_LIMITS, tokensPerDay: 100 };
  for (const home of NAMES) {
    const nodes = scene();
    const user = userOf(nodes, home);
    for (const name of NAMES) {
      const { lease } = await nodes.until(askAt(nodes.at(name), user, tokens));
      await nodes.pass(20);
      const endedAt = nodes.clock.now() + (AHEAD_MS[name] ?? 0);
      nodes.usage.record(user, 10, endedAt - 20, endedAt);
      nodes
        .at(name)
        .limits.countSpent(userPrincipal(user), { tokens: 10, costNanos: 0 }, endedAt - 20, endedAt);
      lease?.end();
    }
    // Somebody asks now and then, so that the user is not forgotten.
    for (let minute = 0; minute < 16; minute++) {
      await nodes.pass(MINUTE_MS, 1_000);
      const { lease } = await nodes.until(askAt(nodes.at("n1"), user, tokens));
      lease?.end();
    }
    for (const name of NAMES) {
      const { limits } = nodes.at(name);
      await nodes.until(limits.refresh(user, tokens) ?? Promise.resolve());
      expect(limits.standing(user, tokens).tokens?.remaining).toBe(70);
    }
  }
});
