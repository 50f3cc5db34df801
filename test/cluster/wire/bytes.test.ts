import { describe, expect, test } from "bun:test";
import type { NodeInfo, Part } from "../../../src/cluster/part.ts";
import { Delivery } from "../../../src/cluster/wire/delivery.ts";
import { PIECE_BYTES_MAX } from "../../../src/protocol/bytes/window.ts";
import { createFakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { createWireScene, delta } from "./wire-scene.ts";

const MEGABYTE = 1024 * 1024;
const RUNS = 6;
const seed = chooseSeed();

/** Collects what comes for each slot, in order: the bytes in a row, and the data of each delta. */
function createCollector() {
  const came = new Map<string, (Buffer[] | string)[]>();
  const order: string[] = [];
  const sizes: number[] = [];
  const note = (slot: string, next: Buffer | string) => {
    const all = came.get(slot) ?? [];
    came.set(slot, all);
    const last = all.at(-1);
    if (typeof next === "string") all.push(next);
    else if (Array.isArray(last)) last.push(next);
    else all.push([next]);
  };
  const part: Part = {
    frames: {
      bytes: (_, { slot, data }) => {
        sizes.push(data.byteLength);
        order.push(slot);
        note(slot, Buffer.from(data));
      },
      delta: (_, { slot, data }) => {
        order.push(slot);
        note(slot, data);
      },
    },
  };
  return { came, order, sizes, note, part };
}

const joined = (parts: readonly (Buffer[] | string)[] = []) =>
  parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.concat(part)));

function createPair(options: { payloadMax?: number } = {}) {
  const scene = createWireScene();
  const { part, ...got } = createCollector();
  const [a, b] = [scene.add("a", options), scene.add("b", { ...options, parts: [part] })];
  scene.clock.advance(1_000);
  const scratch = Buffer.alloc(MEGABYTE);
  /** Sends bytes as senders do, who write the next ones in the same place. */
  const sendBytes = (slot: string, bytes: Uint8Array) => {
    const data = scratch.subarray(0, bytes.byteLength);
    data.set(bytes);
    const isSent = a.wire.send(b.wire.self.id, { kind: "bytes", slot, data });
    scratch.fill(0);
    return isSent;
  };
  const sendText = (slot: string, text: string) => a.wire.send(b.wire.self.id, delta(text, slot));
  return { ...scene, ...got, a, b, sendBytes, sendText };
}

/** Sends bytes and texts of several slots over a network that loses, repeats and reorders messages. */
function run(runSeed: number) {
  const random = createRandom(runSeed);
  const pair = createPair({ payloadMax: random.pick([8 * 1024, 64 * 1024, MEGABYTE]) });
  const { clock, network, sendBytes, sendText } = pair;
  const [lost, repeated, late] = [random.next() * 0.2, random.next() * 0.2, random.next() * 0.3];
  network.fate = () => {
    if (random.next() < lost) return [];
    const delayMs = random.next() < late ? random.below(300) : 1;
    return random.next() < repeated ? [delayMs, delayMs + random.below(500)] : [delayMs];
  };
  const sent = createCollector();
  const source = Buffer.from(Uint8Array.from({ length: 200_000 }, () => random.below(256)));
  for (let step = 0; step < 100; step++) {
    const slot = `${random.below(3)}`;
    if (random.next() < 0.6) {
      const from = random.below(100_000);
      const bytes = source.subarray(from, from + 1 + random.below(random.pick([10, 5_000, 100_000])));
      sent.note(slot, bytes);
      expect(sendBytes(slot, bytes)).toBe(true);
    } else {
      const text = `${step} ${"é".repeat(random.below(random.pick([10, 30_000])))}`;
      sent.note(slot, text);
      expect(sendText(slot, text)).toBe(true);
    }
    clock.advance(random.below(40));
  }
  network.fate = undefined;
  clock.advance(10_000);
  return { ...pair, sent: sent.came };
}

test(`bytes arrive whole and in order over a network that loses, repeats and reorders messages (seed ${seed})`, () => {
  let [resends, whole] = [0, 0];
  for (let at = 0; at < RUNS; at++) {
    const { came, sent, sizes, a, b } = run(seed + at);
    resends += a.wire.counts.resends;
    // Too many beats in a row may be lost.
    if ([a, b].some(({ events }) => events.some((event) => event.startsWith("lost")))) continue;
    whole += 1;
    for (const [slot, parts] of sent) {
      const [got, all] = [joined(came.get(slot)), joined(parts)];
      expect(got.length, `seed ${seed + at}`).toBe(all.length);
      expect(all.every((part, index) => got[index]?.equals(part))).toBe(true);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PIECE_BYTES_MAX);
    expect(b.wire.counts.framesIgnored).toBe(0);
    expect(a.wire.bufferedBytes(b.wire.self.id)).toBe(0);
  }
  expect(resends).toBeGreaterThan(0);
  expect(whole).toBeGreaterThan(RUNS / 2);
});

describe("bytes between other frames", () => {
  test("bytes wait for the large frame of their slot, and what follows them waits for the bytes", () => {
    const { came, order, clock, sendBytes, sendText } = createPair();
    const large = "x".repeat(3 * MEGABYTE);
    sendText("s", large);
    sendBytes("s", Buffer.alloc(300_000, 7));
    sendText("s", "end");
    sendBytes("other", Buffer.alloc(10, 9));
    sendText("third", "at once");
    clock.advance(200);
    expect(joined(came.get("s")).map((part) => part.length)).toEqual([large.length, 300_000, 3]);
    expect([order[0], order[1], order.at(-1)]).toEqual(["third", "other", "s"]);
  });

  test("the bytes of many slots take turns, and no more is on its way than the window has room for", () => {
    const pair = createPair();
    const { a, order, clock, network, sendBytes, sendText } = pair;
    const way = new Map<number, number>();
    network.fate = (from, to, message) => {
      if (from === a.wire.self.id && to !== from)
        way.set(clock.now(), (way.get(clock.now()) ?? 0) + message.byteLength);
      return [1];
    };
    for (const slot of ["1", "2", "3", "4", "5", "6"])
      expect(sendBytes(slot, Buffer.alloc(MEGABYTE))).toBe(true);
    sendText("text", "at once");
    clock.advance(1);
    clock.advance(1);
    expect(order.slice(0, 7).sort()).toEqual(["1", "2", "3", "4", "5", "6", "text"]);
    clock.advance(3_000);
    expect(order).toHaveLength(6 * 16 + 1);
    expect(Math.max(...way.values())).toBeLessThan(1.1 * MEGABYTE);
    expect(a.wire.counts.resets).toBe(0);
  });

  test("bytes are refused where too much waits, and the pair lives on", () => {
    const { a, b, came, network, clock, sendBytes } = createPair();
    network.setDown(b.wire.self.id, true);
    let accepted = 0;
    while (accepted < 200 && sendBytes("s", Buffer.alloc(MEGABYTE, 1))) accepted += 1;
    expect(accepted).toBeLessThan(100);
    network.setDown(b.wire.self.id, false);
    clock.advance(10_000);
    expect(joined(came.get("s")).map(({ length }) => length)).toEqual([accepted * MEGABYTE]);
    expect([a.wire.counts.resets, a.wire.bufferedBytes(b.wire.self.id)]).toEqual([0, 0]);
  });
});

test("bodies that only look like bytes are counted and ignored", () => {
  const node: NodeInfo = { id: "b", name: "b", version: "1.0.0", startedAt: 0, draining: false };
  const delivery = new Delivery({ log: { warn: () => {}, error: () => {} }, clock: createFakeClock() });
  const { part, order } = createCollector();
  delivery.parts = [part];
  const heads = [
    "\n",
    "\n{}\n",
    '\n{"kind":"bytes"}\n',
    '\n{"kind":"bytes","slot":"s"}\n',
    "\n{\n",
    "\n\n\n",
  ];
  for (const head of heads) delivery.take(node, Buffer.from(head), () => true);
  expect([delivery.ignored, order]).toEqual([heads.length, []]);
  const take = (isOpen: boolean) =>
    delivery.take(node, Buffer.from('\n{"kind":"bytes","slot":"s"}\n\n'), () => isOpen);
  take(false);
  expect(order).toEqual([]);
  take(true);
  expect(order).toEqual(["s"]);
});
