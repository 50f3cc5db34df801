import { describe, expect, test } from "bun:test";
import type { UserLimits } from "../../../src/auth/limits/limits.ts";
import { Homes } from "../../../src/cluster/limits/homes.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { NO_LIMITS } from "../../support/limits-bench.ts";
import { drain, LIMIT, leftOver, NAMES, PER_MINUTE, type Scene, threeNodes, userOf } from "./limit-load.ts";
import { askAt, createLimitNodes, outcomeOf } from "./limit-nodes.ts";

const TOKENS: UserLimits = { ...NO_LIMITS, tokensPerDay: 100 };

describe("the home of a user", () => {
  test("homes are shared evenly, and only the users of a node that goes get another", () => {
    const ids = Array.from({ length: 5 }, () => crypto.randomUUID());
    const users = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);
    const [all, four] = [new Homes(ids), new Homes(ids.slice(1))];
    const counts = Map.groupBy(users, (user) => all.of(user));
    expect(counts.size).toBe(5);
    for (const { length } of counts.values()) expect(Math.abs(length - 2_000)).toBeLessThan(300);
    const moved = users.filter((user) => all.of(user) !== four.of(user));
    expect(moved).toEqual(counts.get(ids[0] ?? "") ?? []);
    expect(users.every((user) => all.of(user) === new Homes([...ids].reverse()).of(user))).toBe(true);
  });

  test("the home of a user depends on nothing but the ids, so that every version agrees on it", () => {
    const homes = new Homes(["a", "b", "c"]);
    expect(["ann", "bob", "eve", "joe", "ü", ""].map((user) => homes.of(user))).toEqual([
      "a",
      "a",
      "b",
      "b",
      "a",
      "c",
    ]);
  });
});

describe("a request", () => {
  test("a request of a user without limits, or of the admin, asks nobody", async () => {
    const scene = threeNodes();
    await scene.turn();
    const { limits } = scene.at("n1");
    const user = userPrincipal(userOf(scene, "n2"));
    for (const lease of [limits.admit(ADMIN, null), limits.admit(user, null), limits.admit(user, NO_LIMITS)])
      expect(lease).not.toBeInstanceOf(Promise);
    expect(scene.clock.pending()).toBe(0);
  });

  test("a request at its user's home is admitted without a promise", () => {
    const scene = threeNodes();
    const user = userPrincipal(userOf(scene, "n1"));
    expect(scene.at("n1").limits.admit(user, PER_MINUTE)).not.toBeInstanceOf(Promise);
    expect(scene.at("n2").limits.admit(user, PER_MINUTE)).toBeInstanceOf(Promise);
  });

  test("a request that was given up while its home was asked leaves no lease", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    scene.at("n2").hang();
    const { lease } = await scene.until(askAt(scene.at("n1"), user, PER_MINUTE));
    lease?.end();
    scene.at("n2").wake();
    await scene.turn();
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
  });
});

/** Records an ask that was answered at a node, as the server does. */
function count(scene: Scene, name: string, user: string, tokens: number): void {
  const at = scene.clock.now();
  scene.usage.record(user, tokens, at - 10, at);
  scene.at(name).limits.countSpent(userPrincipal(user), { tokens: tokens, costNanos: 0 }, at - 10, at);
}

const tokensLeft = async (scene: Scene, name: string, user: string) => {
  const { limits } = scene.at(name);
  await scene.until(limits.refresh(user, TOKENS) ?? Promise.resolve());
  return limits.standing(user, TOKENS).tokens?.remaining;
};

describe("the tokens of a day", () => {
  test("tokens that were used before the user had a limit count", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    count(scene, "n1", user, 30);
    await scene.pass(1_000, 100);
    for (const name of NAMES) expect(await tokensLeft(scene, name, user)).toBe(70);
  });

  test("an ask counts once, whether its row is written before the home reads or after", async () => {
    for (const writtenMs of [0, 1, 30, 300, 3_000]) {
      const scene = createLimitNodes({ writtenMs: () => writtenMs });
      for (const name of NAMES) scene.add(name);
      const user = userOf(scene, "n2");
      for (let round = 0; round < 6; round++) {
        const name = NAMES[round % 3] ?? "";
        const { lease } = await scene.until(askAt(scene.at(name), user, { ...TOKENS, tokensPerDay: 1_000 }));
        await scene.pass(17);
        count(scene, name, user, 10);
        lease?.end();
      }
      await scene.pass(20_000, 500);
      for (const name of NAMES) expect(await tokensLeft(scene, name, user)).toBe(40);
      scene.add("n4");
      scene.kill("n2");
      await scene.pass(20_000, 500);
      for (const name of ["n1", "n3", "n4"]) expect(await tokensLeft(scene, name, user)).toBe(40);
    }
  });

  test("50 requests at three nodes reserve no more than a limit of 100 tokens", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n2");
    const leases = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        scene.until(askAt(scene.at(NAMES[index % 3] ?? ""), user, TOKENS)),
      ),
    );
    const outcomes = await Promise.all(
      leases.map(({ lease }) =>
        scene.until(outcomeOf(() => lease?.reserve(() => ({ tokens: 4_000, costNanos: 0 })))),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === "ok")).toHaveLength(1);
    expect(await tokensLeft(scene, "n3", user)).toBe(0);
    for (const { lease } of leases) lease?.end();
    await scene.turn();
    expect(await tokensLeft(scene, "n3", user)).toBe(100);
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
  });

  test("a database that is away delays one request, and is asked again", async () => {
    const scene = threeNodes();
    const user = userOf(scene, "n1");
    const { spentByUsers } = scene.usage;
    scene.usage.spentByUsers = () => Promise.reject(new Error("away"));
    count(scene, "n2", user, 100);
    expect((await scene.until(askAt(scene.at("n1"), user, TOKENS))).outcome).toBe("ok");
    expect(scene.logged.map(({ event }) => event)).toEqual(["usage_unreadable"]);
    scene.usage.spentByUsers = spentByUsers;
    await scene.pass(20_000, 500);
    expect((await scene.until(askAt(scene.at("n1"), user, TOKENS))).outcome).toBe("limit_tokens");
  });
});

describe("what another node says", () => {
  /** A node that says whatever it wants. */
  function stranger(scene: Scene) {
    const heard: NodeFrame[] = [];
    const link = scene.cluster.add("x", () => [
      { frames: { admitted: (_from, frame) => void heard.push(frame) } },
    ]);
    const say = async (to: string, frame: NodeFrame) => {
      link.send(to, frame);
      await scene.turn();
    };
    return { say, heard };
  }
  const LIMITED = { requests_per_minute: null, tokens_per_day: null, max_parallel: 1 };

  test("a node ends, and reserves for, its own leases only", async () => {
    const scene = threeNodes();
    const { say, heard } = stranger(scene);
    const user = userOf(scene, "n2");
    const own = { ...NO_LIMITS, maxParallel: 1, tokensPerDay: 100 };
    const { lease } = await scene.until(askAt(scene.at("n1"), user, own));
    for (let number = 0; number < 10; number++) {
      await say("n2", { kind: "lease_end", lease: number });
      await say("n2", { kind: "reserve", n: number, lease: number, user, tokens: 1_000 });
    }
    expect((await scene.until(askAt(scene.at("n3"), user, own))).outcome).toBe("limit_parallel");
    expect(await tokensLeft(scene, "n1", user)).toBe(100);
    lease?.end();
    await scene.turn();
    await say("n2", { kind: "admit", n: 1, user, limited: LIMITED });
    await say("n2", { kind: "admit", n: 1, user, limited: LIMITED });
    await say("n2", { kind: "admit", n: 2, user, limited: LIMITED });
    expect(heard.slice(-1)).toMatchObject([{ kind: "admitted", n: 2, error: { code: "limit_parallel" } }]);
    expect(scene.at("n2").limits.leases).toBe(1);
    scene.kill("x");
    expect(scene.at("n2").limits.leases).toBe(0);
  });

  test("requests older than a minute are ignored", async () => {
    const scene = threeNodes();
    const { say } = stranger(scene);
    const user = userOf(scene, "n2");
    await say("n2", { kind: "windows", users: [{ user, ages_ms: [1, 59_999, 60_000, 1e300] }] });
    expect(await drain(scene, NAMES, user, PER_MINUTE)).toBe(LIMIT - 2);
  });

  test("answers that nobody waits for change nothing", async () => {
    const scene = threeNodes();
    const { say } = stranger(scene);
    const user = userOf(scene, "n2");
    scene.at("n2").hang();
    const asking = askAt(scene.at("n1"), user, { ...NO_LIMITS, requestsPerMinute: 3 });
    for (let n = 0; n < 5; n++) await say("n1", { kind: "admitted", n, error: { code: "internal" } });
    expect((await scene.until(asking)).outcome).toBe("ok");
  });
});
