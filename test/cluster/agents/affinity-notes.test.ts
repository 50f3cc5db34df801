import { describe, expect, test } from "bun:test";
import { AffinityNotes } from "../../../src/cluster/agents/affinity-notes.ts";
import { ADMIN, type Principal, userPrincipal } from "../../../src/principal.ts";
import { AffinityBook } from "../../../src/relay/routing/affinity.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createMemoryCluster } from "../memory-link.ts";

const ANN = userPrincipal("ann");

function setUp(...names: string[]) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const frames = { sent: 0 };
  let waitingBytes = 0;
  const nodes = names.map((name) => {
    const book = new AffinityBook({ clock, random: Math.random });
    cluster.add(name, (link) => {
      const notes = new AffinityNotes({
        book: () => book,
        link: {
          nodes: link.nodes,
          bufferedBytes: () => waitingBytes,
          sendAll(frame) {
            frames.sent++;
            link.sendAll(frame);
          },
        },
        soon: (run) => void clock.after(0, run),
      });
      book.onNote = (...note) => notes.tell(...note);
      return [notes];
    });
    const note = (principal: Principal, agent: string, ...kept: string[]) =>
      book.note(principal, "m", { known: [], kept }, agent);
    const find = (principal: Principal, ...known: string[]) => book.find(principal, "m", { known, kept: [] });
    return { note, find, book };
  });
  const [a, b] = nodes;
  if (!a || !b) throw new Error("two nodes are needed");
  const setWaiting = (bytes: number) => {
    waitingBytes = bytes;
  };
  return { clock, frames, nodes, a, b, setWaiting };
}

describe("the agents that have requests cached", () => {
  test("the agents are known at every node, for the same user and model alone", () => {
    const { clock, nodes, a, b } = setUp("a", "b", "c");
    a.note(ANN, "x", "turn 1");
    a.note(ADMIN, "y", "turn 1");
    clock.advance(5);
    expect(nodes.map(({ find }) => find(ANN, "turn 1"))).toEqual(["x", "x", "x"]);
    expect(nodes.map(({ find }) => find(ADMIN, "turn 1"))).toEqual(["y", "y", "y"]);
    expect(b.find(userPrincipal("ben"), "turn 1")).toBeUndefined();
    expect(b.book.find(ANN, "other model", { known: ["turn 1"], kept: [] })).toBeUndefined();
  });

  test("the notes of one turn of the event loop are one frame, which nobody passes on", () => {
    const { clock, frames, a } = setUp("a", "b", "c");
    for (let turn = 0; turn < 20; turn++) a.note(ANN, "x", `turn ${turn}`);
    clock.advance(50);
    expect(frames.sent).toBe(1);
  });

  test("notes beyond some kilobytes in one turn of the event loop are dropped", () => {
    const { clock, a, b } = setUp("a", "b");
    for (let turn = 0; turn < 1_000; turn++) a.note(ANN, "x", `turn ${turn}`);
    for (let turn = 0; turn < 50; turn++) a.note(ADMIN, "x", `${turn} ${"long".repeat(60)}`);
    clock.advance(5);
    expect(b.book.size).toBe(64);
    for (let turn = 0; turn < 50; turn++) a.note(ADMIN, "x", `${turn} ${"long".repeat(60)}`);
    clock.advance(5);
    expect(b.book.size).toBeWithin(90, 100);
    expect(a.book.size).toBe(1_050);
  });

  test("a note is dropped while much waits for a node, or when a key fits into no frame", () => {
    const { clock, a, b, frames, setWaiting } = setUp("a", "b");
    setWaiting(1024 ** 2);
    a.note(ANN, "x", "turn 1");
    clock.advance(5);
    setWaiting(0);
    a.note(ANN, "x", "k".repeat(300));
    a.note(userPrincipal("u".repeat(300)), "x", "turn 2");
    clock.advance(5);
    expect([frames.sent, b.book.size, a.book.size]).toEqual([0, 0, 3]);
  });
});
