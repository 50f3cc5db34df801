import { describe, expect, test } from "bun:test";
import type { UserLimits } from "../../../src/auth/limits/limits.ts";
import { MINUTE_MS } from "../../../src/durations.ts";
import { NO_LIMITS } from "../../support/limits-bench.ts";
import { drain, LIMIT, leftOver, NAMES, PER_MINUTE, threeNodes, userOf } from "./limit-load.ts";
import { askAt, createLimitNodes } from "./limit-nodes.ts";

const PARALLEL: UserLimits = { ...NO_LIMITS, maxParallel: 2 };

describe("nodes that come and go", () => {
  test("a node that joins gets the requests of its users, and no more are let in", async () => {
    const scene = createLimitNodes();
    scene.add("n1");
    scene.add("n2");
    await scene.turn();
    const users = Array.from({ length: 40 }, (_, index) => `u${index}`);
    for (const user of users) expect(await drain(scene, ["n1", "n2"], user, PER_MINUTE)).toBe(LIMIT);
    scene.add("n3");
    await scene.turn();
    const moved = users.filter((user) => scene.at("n1").limits.homeOf(user) === "n3");
    expect(moved.length).toBeGreaterThan(3);
    for (const user of users) expect(await drain(scene, NAMES, user, PER_MINUTE)).toBe(0);
  });

  test("a node that leaves hands its users' requests over, and they count once", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    for (const name of NAMES) (await scene.until(askAt(scene.at(name), user, PER_MINUTE))).lease?.end();
    scene.leave("n2");
    await scene.turn();
    expect(await drain(scene, ["n1", "n3"], user, PER_MINUTE)).toBe(LIMIT - 3);
  });

  test("the requests that a killed home counted start again from those that other nodes let in", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    for (const name of NAMES) (await scene.until(askAt(scene.at(name), user, PER_MINUTE))).lease?.end();
    scene.kill("n2");
    await scene.turn();
    expect(await drain(scene, ["n1", "n3"], user, PER_MINUTE)).toBe(LIMIT - 2);
  });

  test("leases move with their users, and end with the node that has them", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    const one = await scene.until(askAt(scene.at("n1"), user, PARALLEL));
    await scene.until(askAt(scene.at("n3"), user, PARALLEL));
    expect((await scene.until(askAt(scene.at("n1"), user, PARALLEL))).outcome).toBe("limit_parallel");
    scene.kill("n2");
    await scene.turn();
    expect((await scene.until(askAt(scene.at("n1"), user, PARALLEL))).outcome).toBe("limit_parallel");
    scene.kill("n3");
    await scene.turn();
    const another = await scene.until(askAt(scene.at("n1"), user, PARALLEL));
    expect(another.outcome).toBe("ok");
    one.lease?.end();
    another.lease?.end();
    await scene.turn();
    expect(leftOver(scene)).toEqual([0, 0, 0]);
  });

  test("leases and requests survive that two nodes begin anew", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    const both: UserLimits = { ...PER_MINUTE, maxParallel: 2 };
    const { lease } = await scene.until(askAt(scene.at("n1"), user, both));
    const asking = askAt(scene.at("n1"), user, both);
    scene.cluster.reset("n1", "n2");
    const again = await scene.until(asking);
    expect(again.outcome).toBe("ok");
    expect((await scene.until(askAt(scene.at("n3"), user, both))).outcome).toBe("limit_parallel");
    for (const each of [lease, again.lease]) each?.end();
    await scene.turn();
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
    // The ask that was asked for twice may count twice.
    expect(await drain(scene, NAMES, user, both)).toBeGreaterThanOrEqual(LIMIT - 3);
  });

  test("the sides of a partition let in the limit each", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    for (const other of ["n1", "n2"]) scene.cluster.part("n3", other);
    await scene.turn();
    expect(await drain(scene, ["n3"], user, PER_MINUTE)).toBe(LIMIT);
    expect(await drain(scene, ["n1", "n2"], user, PER_MINUTE)).toBe(LIMIT);
    for (const other of ["n1", "n2"]) scene.cluster.meet("n3", other);
    await scene.turn();
    expect(await drain(scene, NAMES, user, PER_MINUTE)).toBe(0);
    await scene.pass(MINUTE_MS, 1_000);
    expect(await drain(scene, NAMES, user, PER_MINUTE)).toBe(LIMIT);
  });
});

describe("a home that does not answer", () => {
  test("users of a silent home have a share of their limit at each node, which the log and a counter tell", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    scene.at("n2").hang();
    expect(await drain(scene, ["n1"], user, PER_MINUTE)).toBe(LIMIT / 3);
    expect(await drain(scene, ["n3"], user, PER_MINUTE)).toBe(LIMIT / 3);
    expect(scene.at("n1").limits.unasked).toBe(LIMIT / 3 + 1);
    expect(scene.logged).toEqual([
      { event: "limits_unasked", fields: { node: "n2", requests: 1 } },
      { event: "limits_unasked", fields: { node: "n2", requests: 1 } },
    ]);
    scene.at("n2").wake();
    await scene.turn();
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
    // The home has counted every ask that it was asked for.
    expect(await drain(scene, NAMES, user, PER_MINUTE)).toBe(LIMIT - 2 * (LIMIT / 3) - 2);
    expect(scene.at("n1").limits.unasked).toBe(LIMIT / 3 + 1);
  });

  test("only the first request waits for a silent home", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    scene.at("n2").hang();
    const before = scene.clock.now();
    await scene.until(askAt(scene.at("n1"), user, PER_MINUTE));
    expect(scene.clock.now() - before).toBe(500);
    await scene.until(askAt(scene.at("n1"), user, PER_MINUTE));
    expect(scene.clock.now() - before).toBe(500);
  });

  test("killing it lets in at most twice the limit within a minute", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    let letIn = await drain(scene, ["n2"], user, PER_MINUTE);
    expect(letIn).toBe(LIMIT);
    scene.at("n2").hang();
    letIn += await drain(scene, ["n1"], user, PER_MINUTE);
    letIn += await drain(scene, ["n3"], user, PER_MINUTE);
    scene.kill("n2");
    await scene.turn();
    letIn += await drain(scene, ["n1", "n3"], user, PER_MINUTE);
    expect(letIn).toBe(2 * LIMIT);
  });
});
