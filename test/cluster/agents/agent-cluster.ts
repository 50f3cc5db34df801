import { V1Connection } from "../../../src/agents/v1.ts";
import type { AgentKey } from "../../../src/auth/agent-keys.ts";
import { Claims } from "../../../src/cluster/agents/claims.ts";
import { Directory } from "../../../src/cluster/agents/directory.ts";
import { RemoteAgents } from "../../../src/cluster/agents/remote-agents.ts";
import { Exchange } from "../../../src/cluster/exchange/exchange.ts";
import type { Link, NodeInfo, Part, TakeFrame } from "../../../src/cluster/part.ts";
import type { V1ServerFrame } from "../../../src/protocol/agent-v1.ts";
import type { NodeFrameKind } from "../../../src/protocol/node/frames.ts";
import { Relay } from "../../../src/relay/relay.ts";
import { createFakeSocket, UNLIMITED } from "../../agents/fake-socket.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { LIMITS, settle } from "../../support/relay.ts";
import { createMemoryCluster } from "../memory-link.ts";

/** The id of a v1 agent. */
export const ID = "6c1f6f0e-4a4e-4f4e-9a55-0d6a7c1b2a3d";

export interface ConnectOptions {
  id?: string;
  address?: string;
  key?: AgentKey | undefined;
}

/** Lets time pass, and promises settle in between. */
export async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed++) {
    clock.advance(1);
    await settle();
  }
}

/** Nodes with real relays that know each other's agents. A frame from one to another takes a millisecond. */
export function createAgentCluster() {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const soon = (run: () => void) => void clock.after(0, run);
  /** The frames that nodes which hang have not read yet. */
  const unread = new Map<string, { from: string; run(): void }[]>();
  let ids = 0;
  const newId = () => `id-${++ids}`;

  function partsOf(link: Link) {
    const directory: Directory = new Directory({
      ...{ link, clock, soon },
      replaced: (agentId) => relay.replaced(agentId),
    });
    const exchange = new Exchange({
      ...{ link, clock, soon, directory, reconnectGraceMs: LIMITS.reconnectGraceMs },
      relay: () => relay,
    });
    const observe = { ...directory.observer, ended: () => {} };
    const relay: Relay = new Relay({
      ...{ clock, newId, soon, observe },
      random: () => 0.5,
      limits: LIMITS,
      peers: exchange,
    });
    const claims = new Claims({ directory, link, clock, newId });
    const remote = new RemoteAgents({ directory, relay: () => relay, link, clock });
    return { directory, relay, exchange, claims, remote };
  }

  function add(name: string, more: (link: Link) => Part[] = () => []) {
    const made: Partial<ReturnType<typeof partsOf>> = {};
    cluster.add(name, (link) => {
      const parts = Object.assign(made, partsOf(link));
      return [parts.directory, parts.claims, parts.remote, parts.exchange, ...more(link)].map((part) =>
        hanging(name, part),
      );
    });
    const node = made as ReturnType<typeof partsOf>;
    return { ...node, name, connect: (options: ConnectOptions = {}) => connect(node, options) };
  }

  /** Connects a v1 agent, which says hello at once. */
  function connect(
    { relay, claims }: ReturnType<typeof partsOf>,
    { id = ID, address = "192.0.2.1", key }: ConnectOptions,
  ) {
    const { socket, sent, closed } = createFakeSocket<V1ServerFrame>();
    const options = { relay, clock, newId, claims, helloWithinMs: 10_000, v1Model: "chatgpt" };
    const connection = new V1Connection(options, { address, key, lease: UNLIMITED, transport: "websocket" });
    connection.open(socket);
    const say = (frame: unknown) => connection.receive(JSON.stringify(frame));
    say({ id, message: "Connection id", data: "" });
    return { connection, sent, closed, say };
  }

  /** Returns the part, which gets no frames while its node hangs. */
  function hanging(name: string, part: Part): Part {
    const frames = Object.entries(part.frames).map(([kind, take]) => {
      const takeLater = (from: NodeInfo, frame: never) => {
        const run = () => (take as TakeFrame<NodeFrameKind>)(from, frame);
        const waiting = unread.get(name);
        if (waiting) waiting.push({ from: from.id, run });
        else run();
      };
      return [kind, takeLater];
    });
    return {
      frames: Object.fromEntries(frames),
      joined: (node) => part.joined?.(node),
      lost: (node) => {
        // The wire refuses what a node has sent before both began anew.
        const waiting = unread.get(name);
        if (waiting)
          unread.set(
            name,
            waiting.filter(({ from }) => from !== node.id),
          );
        part.lost?.(node);
      },
    };
  }

  return {
    ...cluster,
    clock,
    add,
    /** The node hangs: it reads nothing until it wakes. */
    hang: (name: string) => void unread.set(name, []),
    wake(name: string) {
      const waiting = unread.get(name) ?? [];
      unread.delete(name);
      for (const { run } of waiting) run();
    },
  };
}
