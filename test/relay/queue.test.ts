import { expect, test } from "bun:test";
import { userPrincipal } from "../../src/principal.ts";
import { FairQueue } from "../../src/relay/queue.ts";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const all = () => true;
const item = (user: string, name: string) => ({ principal: userPrincipal(user), name });

test("users take turns, and the items of each user keep their order", () => {
  const queue = new FairQueue<ReturnType<typeof item>>();
  for (const name of ["a1", "a2", "a3"]) queue.push(item("a", name));
  for (const name of ["b1", "b2"]) queue.push(item("b", name));
  queue.push(item("c", "c1"));
  const order = Array.from({ length: 6 }, () => queue.take(all)?.name);
  expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect(queue.size).toBe(0);
  expect(queue.take(all)).toBeUndefined();
});

test("an item that does not fit holds up no other item, not even one of the same user", () => {
  const queue = new FairQueue<ReturnType<typeof item>>();
  queue.push(item("a", "pinned elsewhere"));
  queue.push(item("a", "free"));
  expect(queue.take(({ name }) => name === "free")?.name).toBe("free");
  expect(queue.sizeOf(userPrincipal("a"))).toBe(1);
});

test("a user who was passed over keeps their turn", () => {
  const queue = new FairQueue<ReturnType<typeof item>>();
  queue.push(item("a", "a1"));
  queue.push(item("b", "b1"));
  queue.push(item("b", "b2"));
  queue.take(({ principal }) => principal.id === "b");
  expect(queue.take(all)?.name).toBe("a1");
});

test("removing takes out exactly one item, and may be repeated", () => {
  const queue = new FairQueue<ReturnType<typeof item>>();
  const items = ["a1", "a2"].map((name) => item("a", name));
  for (const each of items) queue.push(each);
  const [first] = items;
  if (!first) throw new Error("unreachable");
  expect([queue.remove(first), queue.remove(first)]).toEqual([true, false]);
  expect(queue.items().map(({ name }) => name)).toEqual(["a2"]);
  expect([queue.size, queue.sizeOf(userPrincipal("a")), queue.sizeOf(userPrincipal("nobody"))]).toEqual([
    1, 1, 0,
  ]);
});

test("a user with 200 asks waiting delays another user's first by one turn only", async () => {
  const { relay, ask } = createRelayBench();
  const agent = joinAgent(relay, "a");
  for (let n = 0; n < 201; n++) void ask(`greedy ${n}`, { user: "greedy" });
  void ask("modest", { user: "modest" });
  agent.answer();
  agent.answer();
  expect(agent.asks.map(({ content }) => content)).toEqual(["modest"]);
});

test("a full queue of one user and a full common queue are refused with different errors", async () => {
  const { relay, ask } = createRelayBench({ queueMax: 3, queueUserMax: 2 });
  joinAgent(relay, "a");
  for (let n = 0; n < 3; n++) void ask(`${n}`, { user: "one" });
  expect(await ask("4th", { user: "one" })).toBe("user_queue_full");
  void ask("1", { user: "two" });
  expect(await ask("2", { user: "two" })).toBe("queue_full");
  expect(relay.stats()).toMatchObject({ asks_waiting: 3, asks_running: 1 });
});
