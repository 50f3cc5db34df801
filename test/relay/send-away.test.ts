import { expect, test } from "bun:test";
import { createRelayBench, peek } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

test("agents are sent away a few at a time: idle ones at once, busy ones when they have finished", async () => {
  const { relay, ask } = createRelayBench();
  const busy = joinAgent(relay, "busy", { protocol: "v2" });
  const running = ask("one", { model: "m" });
  const idle = ["a", "b", "c"].map((id) => joinAgent(relay, id, { protocol: "v2" }));
  const closed = () => idle.map((agent) => agent.closed[0]);
  relay.sendAway(2, () => true);
  expect(closed()).toEqual(["server_draining", undefined, undefined]);
  relay.sendAway(2, () => true);
  expect(closed()).toEqual(["server_draining", "server_draining", "server_draining"]);
  const waiting = ask("two", { model: "m" });
  expect(busy.closed).toEqual([]);
  busy.answer();
  expect(await running).toBe("200");
  expect(busy.closed).toEqual(["server_draining"]);
  expect([busy.asks.length, await peek(waiting)]).toEqual([0, "open"]);
});

test("an agent that may not go is not sent away", async () => {
  const { relay, ask } = createRelayBench();
  const kept = joinAgent(relay, "kept");
  relay.sendAway(10, () => false);
  const asked = ask("one");
  kept.answer();
  expect(await asked).toBe("echo: one");
  expect(kept.closed).toEqual([]);
});
