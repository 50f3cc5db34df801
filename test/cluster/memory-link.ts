import type { Link, NodeInfo, Part } from "../../src/cluster/part.ts";
import { writeBytesHead } from "../../src/protocol/node/bytes-body.ts";
import { readBody } from "../../src/protocol/node/check.ts";
import type { FrameOf, NodeFrame, NodeFrameKind } from "../../src/protocol/node/frames.ts";
import { NodeFrame as Schema } from "../../src/protocol/node/frames.ts";
import type { FakeClock } from "../support/clock.ts";

export interface MemoryNode extends Link {
  /** The part gets frames, and learns which nodes come and go. */
  add(part: Part): void;
}

/**
 * Nodes that are linked within one process, on a fake clock. Each frame is written and checked as a real one.
 * It arrives after `delayMs`, in the order in which frames were sent to that node.
 */
export function createMemoryCluster(clock: FakeClock, delayMs: () => number = () => 1) {
  const members = new Map<string, { info: NodeInfo; parts: Part[]; nodes: Map<string, NodeInfo> }>();
  /** When the last frame from one node to another arrives. */
  const lastAt = new Map<string, number>();
  /** Changes when two nodes lose each other: frames on their way are lost. */
  const epochs = new Map<string, number>();
  const pairOf = (one: string, other: string) => [one, other].sort().join();

  function take(to: string, from: NodeInfo, body: Buffer): void {
    const { kind, ...rest } = Schema.parse(readBody(body)?.[0]);
    for (const part of members.get(to)?.parts ?? []) deliver(part, from, { kind, ...rest } as NodeFrame);
  }

  function send(from: string, to: string, frame: NodeFrame): void {
    const member = members.get(from);
    if (!member?.nodes.has(to)) return;
    const [body, way, pair] = [bodyOf(frame), `${from} ${to}`, pairOf(from, to)];
    const at = Math.max(clock.now() + delayMs(), lastAt.get(way) ?? 0);
    const epoch = epochs.get(pair);
    lastAt.set(way, at);
    clock.after(at - clock.now(), () => {
      if (epochs.get(pair) === epoch) take(to, member.info, body);
    });
  }

  function meet(one: string, other: string): void {
    for (const [id, otherId] of [
      [one, other],
      [other, one],
    ] as const) {
      const [own, info] = [members.get(id), members.get(otherId)?.info];
      if (!own || !info) continue;
      own.nodes.set(otherId, info);
      for (const part of own.parts) part.joined?.(info);
    }
  }

  function part(one: string, other: string): void {
    const pair = pairOf(one, other);
    epochs.set(pair, (epochs.get(pair) ?? 0) + 1);
    for (const [id, otherId] of [
      [one, other],
      [other, one],
    ] as const) {
      const own = members.get(id);
      const info = own?.nodes.get(otherId);
      if (!own || !info) continue;
      own.nodes.delete(otherId);
      for (const each of own.parts) each.lost?.(info);
    }
  }

  return {
    /** Adds a node with its parts, which the others meet at once. */
    add(name: string, parts: (link: Link) => Part[]): MemoryNode {
      const info: NodeInfo = { id: name, name, version: "0.0.0", startedAt: clock.now(), draining: false };
      const nodes = new Map<string, NodeInfo>();
      const link: MemoryNode = {
        self: info,
        nodes,
        send: (to, frame) => {
          send(name, to, frame);
          return true;
        },
        sendAll: (frame) => {
          for (const to of nodes.keys()) send(name, to, frame);
        },
        bufferedBytes: () => 0,
        add: (added) => void members.get(name)?.parts.push(added),
      };
      members.set(name, { info, nodes, parts: [] });
      members.get(name)?.parts.push(...parts(link));
      for (const other of members.keys()) if (other !== name) meet(name, other);
      return link;
    },
    /** Two nodes lose each other. */
    part,
    /** Two nodes that lost each other meet again. */
    meet,
    /** Two nodes lose each other and meet again at once. */
    reset(one: string, other: string): void {
      part(one, other);
      meet(one, other);
    },
    /** The node is gone: the others lose it. */
    remove(name: string): void {
      for (const other of members.keys()) if (other !== name) part(name, other);
      members.delete(name);
    },
  };
}

/** Returns the body of a message with the frame. Bytes are copied. */
function bodyOf(frame: NodeFrame): Buffer {
  if (frame.kind !== "bytes") return Buffer.from(JSON.stringify(frame));
  return Buffer.concat([Buffer.from(writeBytesHead(frame)), frame.data]);
}

function deliver<Kind extends NodeFrameKind>(part: Part, from: NodeInfo, frame: FrameOf<Kind>): void {
  part.frames[frame.kind as Kind]?.(from, frame);
}
