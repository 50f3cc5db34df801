import { expect, test } from "bun:test";
import { userPrincipal } from "../../../src/principal.ts";
import { VirtualClock } from "../../simulate/clock.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";
import { settle } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";
import { type ClusterNode, createCluster } from "./nodes.ts";

const SLOTS = 3;
const SERVICE_MS = 60;
/** The number of asks that are open for each slot. */
const OVERLOAD = 10;
const WARM_UP_MS = 2_000;
const MEASURED_MS = 10_000;

const NEVER = { aborted: false, addEventListener: () => {} };

/** Keeps the number of a user's open asks at a node constant. */
function callInLoops(
  { relay }: ClusterNode,
  user: string,
  count: number,
  onAnswer: (user: string) => void,
): void {
  const principal = userPrincipal(user);
  const request = { endpoint: "chat/completions", stream: true, body: () => "q" } as const;
  const origin = { requestId: user, surface: "test" };
  const work = { model: "m", requests: [request] };
  const call = async (): Promise<void> => {
    for (;;) {
      await relay.ask({ principal, work, origin }, NEVER);
      onAnswer(user);
    }
  };
  for (let each = 0; each < count; each++) void call();
}

function joinWorker(
  { id, relay }: ClusterNode,
  clock: VirtualClock,
  random: Random,
  onBusy: (ms: number) => void,
) {
  const agent = joinAgent(relay, `${id}-agent`, {
    ...{ protocol: "v2", slots: SLOTS },
    onAsk({ slot }) {
      const ms = SERVICE_MS * (0.5 + random.next());
      clock.after(ms, () => {
        onBusy(ms);
        agent.answer({ slot });
      });
    },
  });
}

/** Half of the asks are of one user at one node, the others of users who ask at all nodes. */
async function overload(count: number, seed: number) {
  const random = createRandom(seed);
  const clock = new VirtualClock();
  /** Whether a caller has an answer, and asks again in this moment. */
  let isAnswered = false;
  const { nodes, traffic } = createCluster({
    ...{ clock, count, random: () => random.next(), delayMs: () => 0.2 + random.next() },
    ended: () => {
      isAnswered = true;
    },
    limits: { queueMax: 100_000, queueUserMax: 100_000, queueWaitMs: 1e9 },
  });
  const answers = new Map<string, number>();
  let busyMs = 0;
  let isMeasured = false;
  const onAnswer = (user: string) => {
    if (isMeasured) answers.set(user, (answers.get(user) ?? 0) + 1);
  };
  for (const node of nodes)
    joinWorker(node, clock, random, (ms) => {
      if (isMeasured) busyMs += ms;
    });
  const open = count * SLOTS * OVERLOAD;
  callInLoops(nodes[0] as ClusterNode, "big", open / 2, onAnswer);
  const others = count * 2;
  for (let user = 0; user < others; user++)
    for (let each = 0; each < open / 2 / others; each++)
      callInLoops(random.pick(nodes), `user-${user}`, 1, onAnswer);
  clock.after(WARM_UP_MS, () => {
    isMeasured = true;
    Object.assign(traffic, { offers: 0, gives: 0 });
  });
  const endsAt = clock.startsAt + WARM_UP_MS + MEASURED_MS;
  while (clock.now() < endsAt) {
    isAnswered = false;
    await clock.run(
      () => isAnswered || clock.now() >= endsAt,
      () => {},
    );
    await settle();
  }
  const counts = [...answers.values()];
  return {
    users: counts.length,
    mostToLeast: Math.max(...counts) / Math.min(...counts),
    throughput: busyMs / (MEASURED_MS * count * SLOTS),
    given: traffic.gives / traffic.offers,
    offers: traffic.offers,
  };
}

const seed = chooseSeed();

test.each([3, 8])(
  `with 10 times the load, half of it one user's at one of %d nodes, all users get as much (SEED=${seed})`,
  async (count) => {
    const result = await overload(count, seed);
    expect(result.users).toBe(count * 2 + 1);
    expect(result.mostToLeast).toBeLessThan(1.2);
    expect(result.throughput).toBeGreaterThan(0.95);
    expect(result.given).toBeLessThan(0.01);
  },
  120_000,
);
