import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { userIdOf } from "../../src/principal.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;

test("cancelling a user ends all of their waiting and running asks at once, and no one else's", async () => {
  const records: AskRecord[] = [];
  const { relay, ask } = createRelayBench({}, (record) => records.push(record));
  const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", V2)];
  const heard: string[] = [];
  const running = ask("running", { user: "ann", model: "m", onDelta: ({ data }) => heard.push(data) });
  const others = ask("others", { user: "bob", model: "m" });
  const waiting = [1, 2, 3].map((n) => ask(`waiting ${n}`, { user: "ann", model: "m" }));
  const bobWaits = ask("bob waits", { user: "bob", model: "m" });
  const slot = a.asks[0]?.slot ?? "";
  a.link.delta(slot, { data: "a piece" });

  relay.cancelUser("ann");
  const annsOutcomes = await Promise.all([running, ...waiting]);
  expect(annsOutcomes).toEqual(["key_unknown", "key_unknown", "key_unknown", "key_unknown"]);
  expect(a.cancelled).toEqual([slot]);
  expect(b.cancelled).toEqual([]);
  a.link.delta(slot, { data: "too late" });
  expect(heard).toEqual(["a piece"]);
  // The free slot went to the next waiting ask, which is not one of Ann's.
  expect(a.asks.map(({ content }) => content)).toEqual(["running", "bob waits"]);
  expect(await peek(others)).toBe("open");
  a.answer({ slot: a.asks[1]?.slot ?? "" });
  b.answer();
  expect(await Promise.all([others, bobWaits])).toEqual(["200", "200"]);
  expect(relay.stats()).toMatchObject({ asks_waiting: 0, asks_running: 0, slots_in_use: 0 });
  const recorded = records
    .filter(({ principal }) => userIdOf(principal) === "ann")
    .map(({ outcome }) => outcome);
  expect(recorded).toEqual(["key_unknown", "key_unknown", "key_unknown", "key_unknown"]);
});

test("a v1 agent keeps the slot of a cancelled ask until it answers, and the answer is dropped", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a");
  const asked = ask("ann's", { user: "ann" });
  const next = ask("bob's", { user: "bob" });
  relay.cancelUser("ann");
  expect(await asked).toBe("key_unknown");
  expect(agent.asks).toHaveLength(1);
  agent.answer();
  agent.answer();
  expect(await next).toBe("echo: bob's");
});

test("cancelling a user without open asks is harmless, and a cancelled user may ask again", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  relay.cancelUser("ann");
  relay.cancelUser("");
  const asked = ask("again", { user: "ann", model: "m" });
  agent.answer();
  expect(await asked).toBe("200");
});

test("the open asks of users can be ended one by one, those that wait first, and ending one twice is harmless", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  const asked = [1, 2, 3].map((n) => ask(`${n}`, { model: "m", tokenHash: `hash ${n}` }));
  const admins = ask("admin's", { user: null, model: "m" });
  const open = relay.openUserAsks();
  expect(open.map(({ tokenHash, model }) => [tokenHash, model])).toEqual([
    ["hash 2", "m"],
    ["hash 3", "m"],
    ["hash 1", "m"],
  ]);
  open[0]?.end(new AppError("model_not_allowed"));
  open[2]?.end(new AppError("key_unknown"));
  open[2]?.end(new AppError("internal"));
  expect(await Promise.all([asked[1], asked[0]])).toEqual(["model_not_allowed", "key_unknown"]);
  expect(relay.openUserAsks().map(({ tokenHash }) => tokenHash)).toEqual(["hash 3"]);
  expect(agent.cancelled).toEqual([agent.asks[0]?.slot ?? ""]);
  agent.answer({ slot: agent.asks[1]?.slot ?? "" });
  agent.answer({ slot: agent.asks[2]?.slot ?? "" });
  expect(await Promise.all([asked[2], admins])).toEqual(["200", "200"]);
});
