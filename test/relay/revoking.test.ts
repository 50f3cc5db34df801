import { expect, test } from "bun:test";
import { userIdOf } from "../../src/principal.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;

test("all that a user has open ends at once, waiting or running, and nobody else's", async () => {
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

  expect([...relay.openUsers()].sort()).toEqual(["ann", "bob"]);
  relay.cancelUser("ann");
  expect([...relay.openUsers()]).toEqual(["bob"]);
  const hers = await Promise.all([running, ...waiting]);
  expect(hers).toEqual(["key_unknown", "key_unknown", "key_unknown", "key_unknown"]);
  expect(a.cancelled).toEqual([slot]);
  expect(b.cancelled).toEqual([]);
  a.link.delta(slot, { data: "too late" });
  expect(heard).toEqual(["a piece"]);
  // The slot is free for those who wait, none of them hers.
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

test("an agent of the reference's protocol keeps its slot until it answers, and nobody gets the answer", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a");
  const asked = ask("hers", { user: "ann" });
  const next = ask("his", { user: "bob" });
  relay.cancelUser("ann");
  expect(await asked).toBe("key_unknown");
  expect(agent.asks).toHaveLength(1);
  agent.answer();
  agent.answer();
  expect(await next).toBe("echo: his");
});

test("a user who has nothing open, or asks again, is not held up", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  relay.cancelUser("ann");
  relay.cancelUser("");
  const asked = ask("again", { user: "ann", model: "m" });
  agent.answer();
  expect(await asked).toBe("200");
});
