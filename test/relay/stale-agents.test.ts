import { expect, test } from "bun:test";
import { ADMIN } from "../../src/principal.ts";
import { Relay } from "../../src/relay/relay.ts";
import type { AskRequest } from "../../src/relay/types.ts";
import { createFakeClock } from "../support/clock.ts";
import { LIMITS } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const REQUEST: AskRequest = {
  principal: ADMIN,
  work: { model: "m", requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }] },
  origin: { requestId: "req", surface: "test" },
};

function createScene({ stale, queueMax = 10 }: { stale: number; queueMax?: number }) {
  const turns: (() => void)[] = [];
  const clock = createFakeClock();
  const relay = new Relay({
    ...{ clock, newId: () => crypto.randomUUID(), random: () => 0, limits: { ...LIMITS, queueMax } },
    soon: (run) => turns.push(run),
  });
  const join = (id: string) => joinAgent(relay, id, { protocol: "v2", pongs: false });
  const agents = Array.from({ length: stale }, (_, index) => join(`stale-${index}`));
  clock.advance(6_000);
  const ask = () => {
    relay.ask(REQUEST, new AbortController().signal).catch(() => {});
  };
  const staleCount = () => [...relay.agents()].filter(({ isStale }) => isStale).length;
  const pings = () => agents.reduce((sum, agent) => sum + agent.pings, 0);
  return { relay, turns, join, ask, staleCount, pings };
}

test("an ask looks for an agent that was heard lately in several turns if thousands were not", () => {
  const { turns, join, ask, staleCount, pings } = createScene({ stale: 2_000 });
  const fresh = join("fresh");
  ask();
  expect(fresh.asks).toHaveLength(0);
  for (let before = staleCount(); fresh.asks.length === 0; before = staleCount()) {
    expect(turns).toHaveLength(1);
    turns.shift()?.();
    expect(staleCount() - before).toBeLessThanOrEqual(200);
  }
  expect(staleCount()).toBe(2_000);
  // The best of them is pinged meanwhile, as it may be the sooner one.
  expect(pings()).toBe(1);
  ask();
  expect(turns).toHaveLength(0);
});

test("an ask that may not wait looks for an agent that was heard lately in one turn", () => {
  const { relay, join, ask } = createScene({ stale: 2_000, queueMax: 0 });
  const fresh = join("fresh");
  ask();
  expect(fresh.asks).toHaveLength(1);
  expect(relay.stats().asks_waiting).toBe(0);
});
