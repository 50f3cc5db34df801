import { expect, test } from "bun:test";
import { createLog } from "../../src/log/log.ts";
import { finishAsks } from "../../src/server/shutdown.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

/** A server that is told to stop, with one agent that works. */
function startStop({ others, lameDuckMs = 0 }: { others: number; lameDuckMs?: number }) {
  const { relay, clock, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", { protocol: "v2" });
  const running = ask("running", { model: "m" });
  const drains: unknown[] = [];
  let sent = 0;
  const stop = () =>
    finishAsks({
      config: { lameDuckMs, drainMs: 2_000 },
      log: createLog({ level: "error", secrets: [], write: () => {} }),
      ...{ clock, relay },
      agents: {
        announceDrain: (_, reconnectMs) => void drains.push(reconnectMs),
        sendAway(countMax) {
          sent += countMax;
          relay.sendAway(countMax, () => true);
        },
      },
      server: { publish: () => {} },
      countOthers: () => others,
    }).then(() => "stopped");
  return { relay, clock, ask, agent, running, drains, stop, sent: () => sent };
}

test("a single server keeps its agents until its asks have ended", async () => {
  const { relay, clock, agent, ask, running, drains, stop } = startStop({ others: 0 });
  const waiting = ask("waiting", { model: "m" });
  const stopped = stop();
  await peek(stopped);
  expect([drains, agent.closed]).toEqual([[2_000], []]);
  agent.answer();
  expect([await running, await peek(stopped)]).toEqual(["200", "open"]);
  agent.answer();
  expect(await waiting).toBe("200");
  await stopped;
  expect([relay.stats().agents, clock.pending()]).toEqual([1, 1]);
});

test("a node sends its agents to the others, and ends when what they work on has ended", async () => {
  const { clock, agent, running, drains, stop, sent } = startStop({ others: 2 });
  const stopped = stop();
  await peek(stopped);
  clock.advance(950);
  expect([drains, sent(), agent.closed]).toEqual([[100], 200, []]);
  agent.answer();
  expect(await running).toBe("200");
  expect(agent.closed).toEqual(["server_draining"]);
  await stopped;
  expect(clock.pending()).toBe(0);
});

test("a node that is about to stop takes asks as a lame duck, then refuses them, and ends at its time limit", async () => {
  const { relay, clock, ask, drains, stop } = startStop({ others: 1, lameDuckMs: 5_000 });
  const stopped = stop();
  clock.advance(4_999);
  await peek(stopped);
  const waiting = ask("late", { model: "m" });
  expect([relay.isStopping, await peek(waiting), drains]).toEqual([true, "open", []]);
  clock.advance(1);
  await peek(stopped);
  expect(await ask("too late", { model: "m" }).catch(String)).toContain("draining");
  clock.advance(1_999);
  expect(await peek(stopped)).toBe("open");
  clock.advance(1);
  await stopped;
});
