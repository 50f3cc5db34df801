import { describe, expect, test } from "bun:test";
import { Messages } from "../../../src/cluster/wire/message.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { CLUSTER_KEY } from "../../support/keys.ts";
import { createWireScene, delta } from "./wire-scene.ts";

const SECOND = 1_000;

describe("recorded beats of former nodes", () => {
  /** Returns a scene without nodes, with the beats of this number of nodes that are gone. */
  function recordedBeats(count: number) {
    const { clock, network, add } = createWireScene();
    const beats: Uint8Array[] = [];
    for (let at = 0; at < count; at++) {
      const former = add(`former-${at}`);
      network.fate = (from, to, message) => {
        if (from === former.wire.self.id && to === from && beats.length === at) beats.push(message);
        return [];
      };
      clock.advance(SECOND);
      network.kill(former.wire.self.id);
    }
    network.fate = undefined;
    expect(beats).toHaveLength(count);
    return { clock, network, add, beats };
  }

  test("a node joins while the beats of 80 former nodes are replayed every millisecond", () => {
    const { clock, network, add, beats } = recordedBeats(80);
    const a = add("a");
    const replay = (ms: number) => {
      for (let at = 0; at < ms; at++) {
        for (const beat of beats) network.inject(a.wire.self.id, beat);
        clock.advance(1);
      }
    };
    replay(50);
    const b = add("b");
    replay(1_200);
    expect([a.events, b.events]).toEqual([["joined b"], ["joined a"]]);
  });

  test("nodes that have joined stay, whatever is replayed", () => {
    const { clock, network, add, beats } = recordedBeats(200);
    const [a, b] = [add("a"), add("b")];
    clock.advance(SECOND);
    for (let at = 0; at < 200; at++) {
      for (const beat of beats) network.inject(a.wire.self.id, beat);
      a.wire.send(b.wire.self.id, delta(`${at}`));
      clock.advance(100);
    }
    expect(a.events).toEqual(["joined b"]);
    expect(b.events).toEqual(["joined a", ...Array.from({ length: 200 }, (_, at) => `${at}`)]);
  });
});

describe("nodes of other versions", () => {
  const nodes = (one: { writes: number; accepts: number }, other: { writes: number; accepts: number }) => {
    const scene = createWireScene();
    const [a, b] = [scene.add("a", { protocol: one }), scene.add("b", { protocol: other, version: "9.0.0" })];
    return { ...scene, a, b };
  };

  test("nodes join if each understands what the other writes", () => {
    const { clock, a, b } = nodes({ writes: 1, accepts: 1 }, { writes: 2, accepts: 1 });
    clock.advance(SECOND);
    expect([a.events, b.events]).toEqual([["joined b"], ["joined a"]]);
  });

  test.each([
    [
      { writes: 1, accepts: 1 },
      { writes: 2, accepts: 2 },
    ],
    [
      { writes: 3, accepts: 3 },
      { writes: 2, accepts: 1 },
    ],
  ])(
    "nodes that do not understand each other never join, and both logs say why once a minute",
    (one, other) => {
      const { clock, a, b } = nodes(one, other);
      clock.advance(90 * SECOND);
      expect([a.events, b.events]).toEqual([[], []]);
      const { writes: protocol, accepts } = other;
      const expected = {
        event: "node_incompatible",
        fields: { name: "b", version: "9.0.0", protocol, accepts },
      };
      expect(a.log).toMatchObject([expected, expected]);
      expect(b.log.map(({ event }) => event)).toEqual(["node_incompatible", "node_incompatible"]);
    },
  );

  test("a node of a version that does not tell what it understands joins one of the same frames", () => {
    const { clock, network, add } = createWireScene();
    const a = add("a");
    const b = add("b");
    // Each message of `b` is written again without the field, as the first version did.
    const messages = new Messages(CLUSTER_KEY, "test");
    network.fate = (from, to, message) => {
      if (from !== b.wire.self.id || to !== a.wire.self.id) return [1];
      const { head, body } = messages.read(message) ?? { head: undefined, body: Buffer.alloc(0) };
      if (!head || head.seq !== undefined) return [1];
      const { accepts: _, ...sync } = JSON.parse(body.toString());
      network.inject(to, messages.write(head, JSON.stringify({ ...sync, later: { more: true } })));
      return [];
    };
    clock.advance(2 * SECOND);
    expect([a.events, b.events]).toEqual([["joined b"], ["joined a"]]);
  });

  test("kinds and fields of a later version are ignored, and the frames around them arrive", () => {
    const { clock, add } = createWireScene();
    const [a, b] = [add("a"), add("b")];
    clock.advance(SECOND);
    const send = (frame: object) => b.wire.send(a.wire.self.id, frame as NodeFrame);
    send({ ...delta("one"), later: 1 });
    send({ kind: "later", slot: "x" });
    send({ kind: "give", slot: "x", later: { deep: [1] } });
    send(delta("two"));
    clock.advance(SECOND);
    expect(a.events).toEqual(["joined b", "one", "two"]);
    expect(a.wire.counts.framesIgnored).toBe(1);
    const ignored = a.log.filter(({ event }) => event === "frame_ignored");
    expect(ignored).toMatchObject([{ fields: { name: "b", fault: "unknown" } }]);
  });
});
