import { describe, expect, test } from "bun:test";
import { Directory } from "../../../src/cluster/agents/directory.ts";
import { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { createMemoryCluster } from "../memory-link.ts";

function setUp() {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  /** Adds a node whose clock is ahead of the others by this. */
  const add = (name: string, aheadMs = 0) => {
    const replaced: string[] = [];
    let directory: Directory | undefined;
    const own: FakeClock = { ...clock, now: () => clock.now() + aheadMs };
    cluster.add(name, (link) => {
      directory = new Directory({
        link,
        clock: own,
        soon: (run) => void clock.after(0, run),
        replaced(id) {
          replaced.push(id);
          leave(id);
        },
      });
      return [directory];
    });
    if (!directory) throw new Error("not added");
    const { observer, nodeOf, departedAt } = directory;
    const identity = (id: string) => ({ id, name: id, address: "127.0.0.1", protocol: "v1" as const });
    const leave = (id: string) => observer.left(identity(id), undefined);
    return {
      replaced,
      leave,
      join: (id: string) => observer.joined(identity(id)),
      has: (id: string) => directory?.own(id) !== undefined,
      nodeOf: nodeOf.bind(directory),
      departedAt: departedAt.bind(directory),
    };
  };
  return { clock, cluster, add };
}

describe("agents that come and go", () => {
  test("the other nodes know where an agent is, and that it has left", () => {
    const { clock, add } = setUp();
    const [a, b, c] = [add("a"), add("b"), add("c")];
    a.join("x");
    clock.advance(10);
    expect([a.nodeOf("x"), b.nodeOf("x"), c.nodeOf("x")]).toEqual([undefined, "a", "a"]);
    a.leave("x");
    clock.advance(10);
    expect([b.nodeOf("x"), c.nodeOf("x")]).toEqual([undefined, undefined]);
    expect(b.departedAt("x")).toBe(clock.now() - 9);
    expect(a.departedAt("x")).toBeUndefined();
  });

  test("an agent that comes and goes within one turn is not announced as connected", () => {
    const { clock, add } = setUp();
    const [a, b] = [add("a"), add("b")];
    a.join("x");
    a.leave("x");
    a.join("y");
    a.leave("y");
    a.join("y");
    clock.advance(10);
    expect([b.nodeOf("x"), b.nodeOf("y")]).toEqual([undefined, "a"]);
    expect(b.departedAt("x")).toBeUndefined();
  });

  test("the agents of a lost node are nowhere, and are known again when the node comes back", () => {
    const { clock, cluster, add } = setUp();
    const [a, b] = [add("a"), add("b")];
    a.join("x");
    clock.advance(10);
    cluster.part("a", "b");
    expect([b.nodeOf("x"), b.departedAt("x")]).toEqual([undefined, clock.now()]);
    a.join("y");
    cluster.meet("a", "b");
    clock.advance(10);
    expect([b.nodeOf("x"), b.nodeOf("y"), b.departedAt("x")]).toEqual(["a", "a", undefined]);
  });

  test("an agent that has moved to another node has not departed", () => {
    const { clock, add } = setUp();
    const [a, b, c] = [add("a"), add("b"), add("c")];
    a.join("x");
    clock.advance(10);
    a.leave("x");
    b.join("x");
    clock.advance(10);
    expect([a.nodeOf("x"), c.nodeOf("x"), c.departedAt("x")]).toEqual(["b", "b", undefined]);
  });
});

describe("10,000 agents", () => {
  test("a node that joins learns of all of them, and of those that leave meanwhile", () => {
    const { clock, add } = setUp();
    const a = add("a");
    const ids = Array.from({ length: 10_000 }, (_, index) => `agent-${index}`);
    for (const id of ids) a.join(id);
    const b = add("b");
    clock.advance(0);
    const [early = "", late = ""] = [ids.at(-1), ids.at(0)];
    for (const id of [early, late]) a.leave(id);
    a.join("more");
    clock.advance(10);
    expect(ids.filter((id) => b.nodeOf(id) !== "a")).toEqual([late, early]);
    expect(b.nodeOf("more")).toBe("a");
  });

  test("no turn of the event loop sends more than a few hundred ids to a node", () => {
    const clock = createFakeClock();
    const sizes: number[] = [];
    const runs: (() => void)[] = [];
    const node = { id: "b", name: "b", version: "", startedAt: 0, draining: false };
    const directory = new Directory({
      link: {
        self: { ...node, id: "a" },
        sendAll: () => {},
        send(_, frame) {
          if (frame.kind === "agents") sizes.push(frame.joined.length);
          return true;
        },
      },
      clock,
      soon: (run) => runs.push(run),
      replaced: () => {},
    });
    for (let index = 0; index < 10_000; index++)
      directory.observer.joined({ id: `${index}`, name: "", address: "", protocol: "v2" });
    directory.joined(node);
    for (let run = runs.shift(); run; run = runs.shift()) {
      const before = sizes.length;
      run();
      expect(sizes.length).toBe(before + 1);
    }
    expect(sizes.reduce((sum, size) => sum + size)).toBe(10_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
  });
});

describe("one id at two nodes", () => {
  test("two nodes that registered the id at the same time keep the same agent", () => {
    const { clock, add } = setUp();
    const [a, b, c] = [add("a"), add("b"), add("c")];
    b.join("x");
    a.join("x");
    clock.advance(10);
    expect([a.replaced, b.replaced, c.nodeOf("x")]).toEqual([["x"], [], "b"]);
    expect(a.nodeOf("x")).toBe("b");
    expect(b.nodeOf("x")).toBeUndefined();
  });

  test("the agent that registered later is kept when a partition ends", () => {
    const { clock, cluster, add } = setUp();
    const [a, b] = [add("a"), add("b")];
    a.join("x");
    b.join("y");
    clock.advance(10);
    cluster.part("a", "b");
    b.join("x");
    a.join("y");
    clock.advance(10);
    cluster.meet("a", "b");
    clock.advance(10);
    expect([a.replaced, b.replaced]).toEqual([["x"], ["y"]]);
    expect([a.nodeOf("x"), b.nodeOf("y")]).toEqual(["b", "a"]);
  });

  test("a registration is later than those that its node knew of, whatever the clocks say", () => {
    const { clock, add } = setUp();
    const [a, b] = [add("a"), add("b", -3_600_000)];
    a.join("x");
    clock.advance(10);
    b.join("x");
    clock.advance(10);
    expect([a.replaced, b.replaced]).toEqual([["x"], []]);
    a.join("x");
    clock.advance(10);
    expect([a.replaced, b.replaced]).toEqual([["x"], ["x"]]);
  });

  const seed = chooseSeed();
  test(`random joins at three nodes that lose each other end with one home for each id (seed ${seed})`, () => {
    const random = createRandom(seed);
    const { clock, cluster, add } = setUp();
    const names = ["a", "b", "c"];
    const nodes = names.map((name, index) => ({ name, ...add(name, index * 50) }));
    const ids = ["v", "w", "x", "y", "z"];
    for (let step = 0; step < 2_000; step++) {
      const [node, id] = [random.pick(nodes), random.pick(ids)];
      const [one, other] = [random.pick(names), random.pick(names)];
      if (random.below(3) > 0) node.has(id) ? node.leave(id) : node.join(id);
      else if (random.below(4) === 0 && one !== other) cluster.reset(one, other);
      clock.advance(random.below(4));
    }
    clock.advance(100);
    for (const id of ids) {
      const homes = nodes.filter(({ has }) => has(id)).map(({ name }) => name);
      expect(homes.length).toBeLessThanOrEqual(1);
      const [home] = homes;
      expect(nodes.map(({ nodeOf }) => nodeOf(id))).toEqual(
        names.map((name) => (name === home ? undefined : home)),
      );
    }
  });
});

test("a frame about agents with a wrong shape is refused", () => {
  const frame = (joined: unknown, left: unknown = []) =>
    NodeFrame.safeParse({ kind: "agents", joined, left }).success;
  expect(frame([["x", 1]], ["y"])).toBe(true);
  const bad = [
    ...[
      "x",
      [["x"]],
      [["", 1]],
      [["x", -1]],
      [["x", 1.5]],
      [["x", 2 ** 53]],
      [["x", 1, 2]],
      [[1, 1]],
      [null],
    ],
    ...[[["x".repeat(129), 1]], Array.from({ length: 1_001 }, (_, index) => [`${index}`, 1])],
  ];
  expect(bad.filter((joined) => frame(joined))).toEqual([]);
  expect(frame([], [1])).toBe(false);
});
