import { expect, test } from "bun:test";
import { NO_LIMITS } from "../../support/limits-bench.ts";
import { leftOver, NAMES, userOf } from "./limit-load.ts";
import { askAt, createLimitNodes } from "./limit-nodes.ts";

const ONE = { ...NO_LIMITS, maxParallel: 1 };
const LATE_MS = 30;
const WAIT_MS = 80;

/** Three nodes, of which `n1` is the home of the user. Frames take as long as `delay.ms` says. */
function start() {
  const delay = { ms: 1 };
  const scene = createLimitNodes({ delayMs: () => delay.ms });
  for (const name of NAMES) scene.add(name);
  const user = userOf(scene, "n1");
  const ask = (name: string) => askAt(scene.at(name), user, ONE);
  return { scene, delay, ask };
}

/** A request of the user ends at `n2`, of which the home hears later than of the next request. */
async function endLate({ scene, delay, ask }: ReturnType<typeof start>): Promise<void> {
  const { lease } = await scene.until(ask("n2"));
  delay.ms = LATE_MS;
  lease?.end();
  delay.ms = 1;
}

test.each([["n1"], ["n3"]])(
  "a request at %s waits for the place of one that has just ended at another node",
  async (name) => {
    const started = start();
    const { scene, ask } = started;
    await endLate(started);
    const { outcome, lease } = await scene.until(ask(name));
    expect(outcome).toBe("ok");
    expect((await scene.until(ask("n2"))).outcome).toBe("limit_parallel");
    lease?.end();
    await scene.pass(10);
    expect(leftOver(scene)).toEqual(Array(9).fill(0));
  },
);

test("a request whose place stays taken is refused after 80 ms", async () => {
  const { scene, ask } = start();
  await scene.until(ask("n2"));
  const from = scene.clock.now();
  const refused = await scene.until(ask("n1"));
  expect(refused).toMatchObject({ outcome: "limit_parallel", waitMs: 1_000 });
  expect(scene.clock.now() - from).toBe(WAIT_MS);
});

test("a request is refused at once where the user's other requests run at its own node or at the home", async () => {
  for (const [running, asking] of [
    ["n1", "n1"],
    ["n1", "n3"],
    ["n2", "n2"],
  ] as const) {
    const { scene, ask } = start();
    await scene.until(ask(running));
    const from = scene.clock.now();
    expect((await scene.until(ask(asking))).outcome).toBe("limit_parallel");
    expect(scene.clock.now() - from).toBeLessThanOrEqual(2);
  }
});

test("those that wait get places in their order, and 16 of a user wait at most", async () => {
  const { scene, ask } = start();
  const { lease } = await scene.until(ask("n2"));
  const ended: string[] = [];
  const asks = Array.from({ length: 18 }, async (_, at) => {
    const { outcome } = await ask("n1");
    ended.push(`${at} ${outcome}`);
  });
  await scene.turn();
  expect(ended).toEqual(["16 limit_parallel", "17 limit_parallel"]);
  lease?.end();
  await scene.pass(5);
  expect(ended.slice(2)).toEqual(["0 ok"]);
  await scene.until(Promise.all(asks));
  expect(ended.slice(3)).toEqual(Array.from({ length: 15 }, (_, at) => `${at + 1} limit_parallel`));
});

test("a request whose node is lost while it waits takes no place", async () => {
  const { scene, ask } = start();
  const { lease } = await scene.until(ask("n2"));
  void ask("n3");
  await scene.pass(5);
  scene.kill("n3");
  lease?.end();
  await scene.pass(200);
  expect(scene.at("n1").limits.leases).toBe(0);
  expect(scene.clock.pending()).toBe(0);
});
