import { describe, expect, test } from "bun:test";
import { SharedThreads } from "../../../src/cluster/agents/threads.ts";
import type { Part } from "../../../src/cluster/part.ts";
import { type Thread, Threads } from "../../../src/http/models/threads.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/relay.ts";
import { createMemoryCluster } from "../memory-link.ts";

const THREAD: Thread = { conversation: "c", parent: "p", agent: "x" };

function setUp(...names: string[]) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const soon = (run: () => void) => void clock.after(0, run);
  const add = (name: string) => {
    const threads = new Threads();
    cluster.add(name, (link) => {
      const part = new SharedThreads({ link, clock, soon, threads });
      threads.share = (key, thread) => part.share(key, thread);
      return [part];
    });
    return threads;
  };
  return { clock, cluster, add, nodes: names.map(add) };
}

/** Returns a function that says whether the promise has resolved. */
function watch(promise: Promise<unknown> | undefined): () => Promise<boolean> {
  let isDone = false;
  void promise?.then(() => {
    isDone = true;
  });
  return async () => {
    await settle();
    return isDone;
  };
}

describe("a v1 chat of the OpenAI-style API", () => {
  test("a chat can be continued at every node once its answer may end", async () => {
    const { clock, nodes } = setUp("a", "b", "c");
    const isShared = watch(nodes[0]?.keep("key", THREAD));
    expect(await isShared()).toBe(false);
    clock.advance(1);
    expect(nodes.map((threads) => threads.get("key"))).toEqual([THREAD, THREAD, THREAD]);
    expect(await isShared()).toBe(false);
    clock.advance(1);
    expect(await isShared()).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test("a node that joins can continue the chats that were continued last", () => {
    const { clock, nodes, add } = setUp("a", "b");
    for (let at = 0; at < 3_000; at++) nodes[0]?.learn(`${at}`, { ...THREAD, parent: `${at}` });
    nodes[0]?.learn("long", { ...THREAD, parent: "x".repeat(1_025) });
    const joined = add("c");
    joined.learn("2999", { ...THREAD, parent: "its own" });
    clock.advance(100);
    const kept = [999, 1_001, 2_998, 2_999].map((at) => joined.get(`${at}`)?.parent);
    expect(kept).toEqual([undefined, "1001", "2998", "its own"]);
    expect(joined.get("long")).toBeUndefined();
    expect(clock.pending()).toBe(0);
  });

  test("an answer waits for nobody on a single node", () => {
    const { nodes } = setUp("a");
    expect(nodes[0]?.keep("key", THREAD)).toBeUndefined();
    expect(new Threads().keep("key", THREAD)).toBeUndefined();
  });

  test("an answer waits for a node that hangs for a tenth of a second at most", async () => {
    const { clock, cluster, nodes } = setUp("a", "b");
    const hung: Part = { frames: {} };
    cluster.add("c", () => [hung]);
    const isShared = watch(nodes[0]?.keep("key", THREAD));
    clock.advance(99);
    expect(await isShared()).toBe(false);
    clock.advance(1);
    expect(await isShared()).toBe(true);
  });

  test("an answer waits no longer for a node that is lost", async () => {
    const { clock, cluster, nodes } = setUp("a", "b");
    cluster.add("c", () => [{ frames: {} }]);
    const isShared = watch(nodes[0]?.keep("key", THREAD));
    clock.advance(10);
    cluster.remove("c");
    expect(await isShared()).toBe(true);
  });

  test("a chat is known at its own node alone if its agent chose an id that is too long", () => {
    const { nodes } = setUp("a", "b");
    const thread = { ...THREAD, conversation: "c".repeat(2_000) };
    expect(nodes[0]?.keep("key", thread)).toBeUndefined();
    expect(nodes[0]?.get("key")).toBe(thread);
  });
});
