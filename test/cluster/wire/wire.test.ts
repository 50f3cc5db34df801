import { describe, expect, test } from "bun:test";
import { createWireScene, delta } from "./wire-scene.ts";

const SECOND = 1_000;

function createPair(options: { payloadMax?: number } = {}) {
  const scene = createWireScene();
  const [a, b] = [scene.add("a", options), scene.add("b", options)];
  scene.clock.advance(SECOND);
  return { ...scene, a, b };
}

describe("nodes meet", () => {
  test("two nodes join each other with their first beats", () => {
    const { a, b } = createPair();
    expect(a.events).toEqual(["joined b"]);
    expect(b.events).toEqual(["joined a"]);
    expect(a.wire.nodes.get(b.wire.self.id)).toMatchObject({ name: "b", version: "1.0.0", draining: false });
  });

  test("frames that a part sends when a node joins arrive after that node has joined too", () => {
    const { clock, add } = createWireScene();
    const a = add("a");
    const parts = [
      { frames: {}, joined: ({ id }: { id: string }) => void b.wire.send(id, delta("welcome")) },
    ];
    const b = add("b", { parts });
    clock.advance(SECOND);
    expect(a.events).toEqual(["joined b", "welcome"]);
  });

  test("a node with another cluster key, or another cluster's name, never joins", () => {
    const { clock, add } = createWireScene();
    const a = add("a");
    add("b", { clusterKey: "another key, which is long enough too" });
    add("c", { clusterName: "other" });
    clock.advance(90 * SECOND);
    expect(a.events).toEqual([]);
    expect(a.log.map(({ event }) => event)).toEqual(["message_refused", "message_refused"]);
    expect(a.wire.counts.messagesIgnored).toBeGreaterThan(100);
  });

  test("the log says that two nodes have the same name", () => {
    const { clock, add } = createWireScene();
    const a = add("a");
    add("a");
    clock.advance(SECOND);
    expect(a.log.map(({ event }) => event)).toContain("node_name_shared");
  });

  test("a name with control characters is harmless", () => {
    const { clock, add } = createWireScene();
    const a = add("a");
    add("\u001b[2J\n{");
    clock.advance(SECOND);
    expect(a.events).toEqual(["joined \\u001b[2J\\u000a{"]);
  });

  test("a node that drains is seen to drain at once, and one that leaves is lost at once", async () => {
    const { a, b, clock } = createPair();
    b.wire.drain();
    clock.advance(10);
    expect(a.events).toEqual(["joined b", "changed b draining"]);
    b.wire.send(a.wire.self.id, delta("the last words"));
    await b.wire.leave();
    clock.advance(10);
    expect(a.events.slice(2)).toEqual(["the last words", "lost b"]);
  });
});

describe("nodes lose each other", () => {
  test("frames that a part sends as its node leaves arrive before that node is lost", async () => {
    const { clock, add } = createWireScene();
    const a = add("a");
    const b = add("b", { parts: [{ frames: {}, stop: () => b.wire.sendAll(delta("handed over")) }] });
    clock.advance(SECOND);
    await b.wire.leave();
    clock.advance(1);
    expect(a.events).toEqual(["joined b", "handed over", "lost b"]);
  });

  test("a killed node is lost within 2.5 s, since nobody listens there", () => {
    const { a, b, clock, network } = createPair();
    network.kill(b.wire.self.id);
    clock.advance(2.5 * SECOND);
    expect(a.events).toEqual(["joined b", "lost b"]);
  });

  test("a silent node is lost after 5 s, and both ends begin anew when it is heard again", () => {
    const { a, b, clock, network } = createPair();
    network.fate = (from, to) => (from !== to && from === b.wire.self.id ? [] : [1]);
    clock.advance(6 * SECOND);
    expect(a.events).toEqual(["joined b", "lost b"]);
    b.wire.send(a.wire.self.id, delta("of the past"));
    network.fate = undefined;
    clock.advance(2 * SECOND);
    expect(a.events.slice(2)).toEqual(["joined b"]);
    expect(b.events).toEqual(["joined a", "lost a", "joined a"]);
  });

  test("nobody is lost while NATS is away for less than 30 s, and what was sent arrives then", () => {
    const { a, b, clock, network } = createPair();
    for (const node of [a, b]) network.setDown(node.wire.self.id, true);
    a.wire.send(b.wire.self.id, delta("1"));
    clock.advance(25 * SECOND);
    a.wire.send(b.wire.self.id, delta("2"));
    expect(a.wire.isDegraded()).toBe(true);
    network.setDown(a.wire.self.id, false);
    clock.advance(300);
    network.setDown(b.wire.self.id, false);
    clock.advance(SECOND);
    expect(b.events).toEqual(["joined a", "1", "2"]);
    expect(a.events).toEqual(["joined b"]);
    expect(a.wire.isDegraded()).toBe(false);
  });

  test("all are lost when NATS is away for more than 30 s, and join again when it is back", () => {
    const { a, b, clock, network } = createPair();
    for (const node of [a, b]) network.setDown(node.wire.self.id, true);
    clock.advance(31 * SECOND);
    expect([a.events, b.events]).toEqual([
      ["joined b", "lost b"],
      ["joined a", "lost a"],
    ]);
    for (const node of [a, b]) network.setDown(node.wire.self.id, false);
    clock.advance(2 * SECOND);
    expect([a.events[2], b.events[2]]).toEqual(["joined b", "joined a"]);
  });

  test("nobody is lost while NATS hangs for 20 s", () => {
    const { a, b, clock, network } = createPair();
    network.fate = () => [];
    clock.advance(20 * SECOND);
    expect(a.wire.isDegraded()).toBe(true);
    network.fate = undefined;
    clock.advance(3 * SECOND);
    expect([a.events, b.events]).toEqual([["joined b"], ["joined a"]]);
  });

  test("a pair is reset when more waits than may be kept", () => {
    const { a, b, clock, network } = createPair();
    network.setDown(b.wire.self.id, true);
    const text = "x".repeat(400_000);
    for (let at = 0; at < 300; at++) {
      a.wire.send(b.wire.self.id, delta(text));
      clock.advance(1);
    }
    clock.advance(300);
    expect(a.events.slice(0, 2)).toEqual(["joined b", "lost b"]);
    expect(a.log.find(({ event }) => event === "peer_reset")?.fields["reason"]).toBe("buffer_full");
    expect(a.wire.counts.resets).toBe(1);
  });
});

const MEGABYTE = 1024 * 1024;

/** Returns a function that gives the most bytes that were on their way from `a` to `b` within a millisecond. */
function watchWay({ a, network, clock }: ReturnType<typeof createPair>): () => number {
  const bytes = new Map<number, number>();
  network.fate = (from, to, message) => {
    if (from === a.wire.self.id && to !== from)
      bytes.set(clock.now(), (bytes.get(clock.now()) ?? 0) + message.byteLength);
    return [1];
  };
  return () => Math.max(...bytes.values());
}

describe("what is on its way to a node", () => {
  test("a burst goes out in portions of a megabyte, each when the one before has arrived", () => {
    const pair = createPair();
    const { a, b, clock } = pair;
    const most = watchWay(pair);
    const sent = Array.from({ length: 100 }, (_, at) => `${at} ${"x".repeat(100_000)}`);
    for (const data of sent) a.wire.send(b.wire.self.id, delta(data));
    clock.advance(100);
    expect(b.events.slice(1)).toEqual(sent);
    expect(most()).toBeLessThan(1.1 * MEGABYTE);
    expect(a.wire.counts.resets).toBe(0);
  });

  test("lost messages go again in portions of half a megabyte, and then in smaller ones", () => {
    const pair = createPair();
    const { a, b, clock, network } = pair;
    const sent = Array.from({ length: 200 }, (_, at) => `${at} ${"x".repeat(50_000)}`);
    for (let portion = 1; portion <= 2; portion++) {
      network.fate = () => [];
      for (const data of sent) {
        a.wire.send(b.wire.self.id, delta(data));
        clock.advance(1);
      }
      const most = watchWay(pair);
      clock.advance(3 * SECOND);
      expect(b.events.length).toBe(1 + portion * sent.length);
      expect(most()).toBeLessThan((1.1 * MEGABYTE) / 2 ** portion);
    }
    expect(b.events.slice(1)).toEqual([...sent, ...sent]);
    expect(a.wire.counts.resets).toBe(0);
  });

  test("messages that wait go out before the node tells that it leaves", async () => {
    const { a, b, clock } = createPair();
    const sent = Array.from({ length: 50 }, (_, at) => `${at} ${"x".repeat(100_000)}`);
    for (const data of sent) a.wire.send(b.wire.self.id, delta(data));
    await a.wire.leave();
    clock.advance(SECOND);
    expect(b.events.slice(1)).toEqual([...sent, "lost a"]);
  });
});

describe("what others record or write", () => {
  test("recorded messages of a dead node neither join nor disturb anybody", () => {
    const { a, b, clock, network } = createPair();
    const recorded: Uint8Array[] = [];
    network.fate = (from, _, message) => {
      if (from === b.wire.self.id) recorded.push(message);
      return [1];
    };
    b.wire.send(a.wire.self.id, delta("once"));
    clock.advance(5 * SECOND);
    for (const message of recorded) network.inject(a.wire.self.id, message);
    expect(a.events).toEqual(["joined b", "once"]);
    network.kill(b.wire.self.id);
    clock.advance(10 * SECOND);
    for (let at = 0; at < 20; at++) {
      for (const message of recorded) network.inject(a.wire.self.id, message);
      clock.advance(SECOND);
    }
    expect(a.events).toEqual(["joined b", "once", "lost b"]);
    expect(a.wire.counts.resets).toBe(0);
  });

  test("a busy node is not lost when others claim all the time that nobody listens there", () => {
    const { clock, network, a, b } = createPair();
    let messages = 0;
    network.fate = () => [[1, 300, 20, 150][messages++ % 4] ?? 1];
    for (let at = 0; at < 60 * SECOND; at += 50) {
      network.injectUnanswered(a.wire.self.id, b.wire.self.id);
      clock.advance(50);
    }
    expect([a.events, b.events]).toEqual([["joined b"], ["joined a"]]);
  });

  test("messages that were cut, changed or sent to another node are ignored", () => {
    const { a, b, clock, network } = createPair();
    network.fate = (from, to, message) => {
      if (from !== b.wire.self.id || to !== a.wire.self.id) return [1];
      for (const end of [0, 1, 43, 44, 60, message.length - 1]) network.inject(to, message.slice(0, end));
      for (const at of [0, 42, 43, 60, message.length - 1]) {
        const changed = Uint8Array.from(message);
        changed[at] = (changed[at] ?? 0) ^ 1;
        network.inject(to, changed);
      }
      network.inject(from, message);
      return [1, 2];
    };
    for (let at = 0; at < 20; at++) {
      b.wire.send(a.wire.self.id, delta(`${at}`));
      clock.advance(100);
    }
    expect(a.events).toEqual(["joined b", ...Array.from({ length: 20 }, (_, at) => `${at}`)]);
    expect(a.wire.counts.resets + b.wire.counts.resets).toBe(0);
  });
});

describe("large frames", () => {
  test("a large frame arrives whole, after small ones of other slots and before those of its own", () => {
    const { a, b, clock } = createPair();
    const large = `"é\u{1f600}`.repeat(1_000_000);
    a.wire.send(b.wire.self.id, delta(large, "large"));
    a.wire.send(b.wire.self.id, delta("behind", "large"));
    a.wire.send(b.wire.self.id, delta("beside", "other"));
    clock.advance(100);
    expect(b.events.map((event) => event.length)).toEqual(
      ["joined a", "beside", large, "behind"].map((each) => each.length),
    );
    expect(b.events[2] === large).toBe(true);
    clock.advance(2 * SECOND);
    expect(a.wire.bufferedBytes(b.wire.self.id)).toBe(0);
  });

  test("a small max_payload makes smaller pieces", () => {
    const { a, b, clock } = createPair({ payloadMax: 8 * 1024 });
    const texts = [..."abcdef"].map((letter, at) => letter.repeat(10 ** at));
    for (const text of texts) a.wire.send(b.wire.self.id, delta(text, text[0]));
    clock.advance(5 * SECOND);
    expect(new Set(b.events)).toEqual(new Set(["joined a", ...texts]));
  });

  test("a large frame is refused where too much waits, and the pair lives on", () => {
    const { a, b, clock, network } = createPair();
    network.setDown(b.wire.self.id, true);
    const large = "x".repeat(20_000_000);
    const isSent = Array.from({ length: 5 }, (_, at) => a.wire.send(b.wire.self.id, delta(large, `${at}`)));
    expect(isSent).toEqual([true, true, true, false, false]);
    network.setDown(b.wire.self.id, false);
    clock.advance(5 * SECOND);
    expect(b.events.map((event) => event.length)).toEqual([8, 20_000_000, 20_000_000, 20_000_000]);
    expect(a.wire.counts.resets).toBe(0);
  });
});
