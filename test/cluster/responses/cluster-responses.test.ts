import { describe, expect, test } from "bun:test";
import { ClusterResponses } from "../../../src/cluster/responses/cluster-responses.ts";
import type { HeldResponses, RemoteReading } from "../../../src/cluster/responses/held-responses.ts";
import type { AppError } from "../../../src/errors.ts";
import type { ServerEvent } from "../../../src/http/middleware/event-stream.ts";
import { numberOf } from "../../../src/http/responses/recording.ts";
import { Recordings } from "../../../src/http/responses/recordings.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { createFakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { createMemoryCluster } from "../memory-link.ts";

const GRACE_MS = 30_000;

const event = (sequence_number: number, length = 10): ServerEvent => ({
  event: "response.output_text.delta",
  data: JSON.stringify({ sequence_number, delta: "x".repeat(length) }),
});

const numbersOf = (events: readonly ServerEvent[]) => events.map(numberOf);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Two nodes: `a` has responses, and callers of `b` read them. */
function scene(delayMs?: () => number) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock, delayMs);
  const recordings = new Recordings({ clock, bytesMax: 1_000_000_000, graceMs: GRACE_MS });
  const deleted: [string | null, string][] = [];
  const forgotten: string[] = [];
  const held: HeldResponses = {
    find: (owner, id, part) => (part === "response" && recordings.find(owner, id) ? `the ${id}` : undefined),
    cancel: async () => undefined,
    forget: async (owner, id) => {
      forgotten.push(`${owner} ${id}`);
      return recordings.find(owner, id) !== undefined;
    },
    read(owner, id, after, sink) {
      const recording = recordings.find(owner, id);
      if (!recording) throw new Error("not here");
      return recording.read(sink, after);
    },
    deleted: () => deleted,
  };
  const frames: NodeFrame[] = [];
  const parts: Record<string, ClusterResponses> = {};
  const add = (name: string) =>
    cluster.add(name, (link) => {
      const send = (id: string, frame: NodeFrame) => {
        frames.push(frame);
        return link.send(id, frame);
      };
      parts[name] = new ClusterResponses({ link: { nodes: link.nodes, send }, clock, held: () => held });
      return [parts[name]];
    });
  add("a");
  add("b");
  const begin = (id: string) => {
    const recording = recordings.begin("ann");
    recording.name(id);
    recording.callerLeft();
    return recording;
  };
  /** Waits while the nodes talk. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at++) {
      clock.advance(1);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return { clock, cluster, frames, parts, begin, pass, deleted, forgotten, add };
}

function reader() {
  const sink = {
    events: [] as ServerEvent[],
    ended: undefined as undefined | "ended" | "lost" | AppError,
    sendAll: (events: readonly ServerEvent[]) => void sink.events.push(...events),
    end: (error?: AppError) => {
      sink.ended = error ?? "ended";
    },
    lost: () => {
      sink.ended = "lost";
    },
    after: () => numberOf(sink.events.at(-1) ?? { event: "", data: "" }) ?? -1,
  };
  return sink;
}

async function open(
  { parts, pass }: ReturnType<typeof scene>,
  id: string,
  after = -1,
): Promise<RemoteReading> {
  const opening = parts["b"]?.read("ann", id, "a", after);
  opening?.catch(() => {});
  await pass(10);
  if (!opening) throw new Error("there is no node b");
  return opening;
}

const codeOf = (asked: Promise<unknown> | undefined) =>
  asked?.then(
    () => "resolved",
    ({ code }: AppError) => code,
  );

const seed = chooseSeed();

describe("the events of a response at another node", () => {
  test("a reader gets those before and those to come, each once and in order", async () => {
    const it = scene();
    const recording = it.begin("resp_1");
    recording.add(upTo(3).map((at) => event(at)));
    const sink = reader();
    (await open(it, "resp_1", 0)).read(sink);
    expect(numbersOf(sink.events)).toEqual([1, 2]);
    recording.add([event(3), event(4)]);
    recording.end();
    await it.pass(3);
    expect([numbersOf(sink.events), sink.ended]).toEqual([[1, 2, 3, 4], "ended"]);
    expect(it.parts["a"]?.size).toEqual({ readings: 0, readers: 0 });
    expect(it.parts["b"]?.size).toEqual({ readings: 0, readers: 0 });
  });

  test("the request goes on while somebody reads at another node, and ends after the grace when they leave", async () => {
    const it = scene();
    const recording = it.begin("resp_1");
    const leave = (await open(it, "resp_1")).read(reader());
    it.clock.advance(10 * GRACE_MS);
    expect(recording.signal.aborted).toBe(false);
    leave();
    await it.pass(3);
    it.clock.advance(GRACE_MS);
    expect(recording.signal.aborted).toBe(true);
    expect(it.parts["a"]?.size.readers).toBe(0);
  });

  test("a node sends no more than a megabyte that the other has not passed on", async () => {
    const it = scene(() => 1_000);
    const recording = it.begin("resp_1");
    recording.add(upTo(50).map((at) => event(at, 100_000)));
    const opening = it.parts["b"]?.read("ann", "resp_1", "a", -1);
    opening?.catch(() => {});
    it.clock.advance(1_000);
    const sentLength = () =>
      it.frames.reduce(
        (sum, frame) => sum + (frame.kind === "response_events" ? JSON.stringify(frame.events).length : 0),
        0,
      );
    expect(sentLength()).toBeGreaterThan(1_000_000);
    expect(sentLength()).toBeLessThan(1_300_000);
  });

  test("long events arrive as they are, while the window moves on", async () => {
    const it = scene();
    const recording = it.begin("resp_1");
    recording.add(upTo(100).map((at) => event(at, 100_000)));
    const sink = reader();
    (await open(it, "resp_1")).read(sink);
    await it.pass(200);
    recording.end();
    await it.pass(10);
    expect(sink.events).toEqual(upTo(100).map((at) => event(at, 100_000)));
    expect(sink.ended).toBe("ended");
  });

  test("a reader for whom too much waits is cut off, and the rest is not", async () => {
    const it = scene(() => 400);
    const recording = it.begin("resp_1");
    const slow = reader();
    const opening = it.parts["b"]?.read("ann", "resp_1", "a", -1);
    it.clock.advance(400);
    recording.add(upTo(100).map((at) => event(at, 100_000)));
    expect(it.parts["a"]?.size.readers).toBe(0);
    expect(recording.signal.aborted).toBe(false);
    it.clock.advance(400);
    (await opening)?.read(slow);
    expect(slow.ended).toMatchObject({ code: "caller_gone" });
  });

  test.each([0, 100])(
    `a reader goes on exactly after two nodes have lost each other for up to %d ms (seed ${seed})`,
    async (awayMs) => {
      const random = createRandom(seed);
      for (let round = 0; round < 50; round++) {
        const it = scene(() => random.below(4));
        const recording = it.begin("resp_1");
        const sink = reader();
        (await open(it, "resp_1")).read(sink);
        for (let at = 0; at < 60; at++) {
          recording.add([event(at, random.below(100_000))]);
          if (random.below(10) === 0) {
            it.cluster.part("a", "b");
            await it.pass(random.below(awayMs + 1));
            it.cluster.meet("a", "b");
          }
          await it.pass(random.below(4));
        }
        recording.end();
        await it.pass(100);
        expect(numbersOf(sink.events), `round ${round}`).toEqual(upTo(60));
        expect(sink.ended).toBe("ended");
      }
    },
  );

  test("a reader learns that the node is lost, and not before it could be back", async () => {
    const it = scene();
    it.begin("resp_1");
    const sink = reader();
    (await open(it, "resp_1")).read(sink);
    it.cluster.remove("a");
    it.clock.advance(4_999);
    expect(sink.ended).toBeUndefined();
    it.clock.advance(1);
    expect(sink.ended).toBe("lost");
  });

  test("a response that is not there, or of another user, is refused with the node's error", async () => {
    const it = scene();
    it.begin("resp_1").drop();
    const asked = [
      it.parts["b"]?.read("ann", "resp_1", "a", -1),
      it.parts["b"]?.read("bob", "resp_1", "a", -1),
      it.parts["b"]?.read("ann", "resp_1", "gone", -1),
    ].map(codeOf);
    await it.pass(1_001);
    expect(await Promise.all(asked)).toEqual(["response_not_resumable", "internal", "response_elsewhere"]);
    expect([it.parts["a"]?.size.readers, it.parts["b"]?.size.readings]).toEqual([0, 0]);
  });

  test("a node serves a bounded number of readers of another", async () => {
    const it = scene();
    it.begin("resp_1");
    const asked = upTo(1_001).map(() => codeOf(it.parts["b"]?.read("ann", "resp_1", "a", -1)));
    await it.pass(3);
    const codes = await Promise.all(asked);
    expect(codes.filter((code) => code === "response_elsewhere")).toHaveLength(1);
    it.cluster.part("a", "b");
    expect(it.parts["a"]?.size.readers).toBe(0);
  });
});

describe("questions about a response", () => {
  test("a response is found at the node that has it, and by its owner only", async () => {
    const it = scene();
    it.begin("resp_1");
    const asked = ["ann", "bob"].map((owner) => it.parts["b"]?.find(owner, "resp_1"));
    await it.pass(3);
    expect(await Promise.all(asked)).toEqual([{ nodeId: "a", text: "the resp_1" }, undefined]);
  });

  test("nobody waits for a node that does not answer longer than a second", async () => {
    const it = scene();
    it.begin("resp_1");
    it.cluster.add("old", () => []);
    const found = it.parts["b"]?.find("ann", "resp_1");
    await it.pass(3);
    expect(await found).toMatchObject({ nodeId: "a" });
    const missing = it.parts["b"]?.find("ann", "resp_2");
    const deleted = it.parts["b"]?.delete("ann", "resp_1");
    await it.pass(1_001);
    expect(await Promise.all([missing, deleted])).toEqual([undefined, true]);
  });

  test("an id that is longer than a frame may name is nowhere", async () => {
    const it = scene();
    expect(await it.parts["b"]?.find("ann", "x".repeat(1_025))).toBeUndefined();
    expect(await it.parts["b"]?.delete("ann", "x".repeat(1_025))).toBe(false);
    expect(it.frames).toEqual([]);
  });

  test("a node that joins learns what was deleted while it was away", async () => {
    const it = scene();
    it.cluster.part("a", "b");
    it.deleted.push(...upTo(2_500).map((at): [string, string] => ["ann", `resp_${at}`]));
    it.cluster.meet("a", "b");
    await it.pass(3);
    // Both nodes share the list of the scene, so each tells the other.
    expect(new Set(it.forgotten).size).toBe(2_500);
    expect(it.frames.filter(({ kind }) => kind === "deleted_responses")).toHaveLength(6);
  });
});
