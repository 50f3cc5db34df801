import { BoundedMap } from "../../bounded-map.ts";
import type { Clock } from "../../clock.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { RelayObserver } from "../../relay/options.ts";
import type { AgentIdentity } from "../../relay/types.ts";
import type { Link, NodeInfo, Part } from "../part.ts";

interface DirectoryOptions {
  link: Pick<Link, "self" | "send" | "sendAll">;
  clock: Pick<Clock, "now">;
  /** Runs something in a later turn of the event loop. What changes until then is announced together. */
  soon: Soon;
  /** Called when the agent with this id has registered at another node, later than here. */
  replaced(agentId: string): void;
}

/** The ids in one frame: so many take about a millisecond at either end. */
const FRAME_IDS_MAX = 500;

/** The ids of one node. More are ignored. */
const NODE_IDS_MAX = 100_000;

/** The ids of agents that left other nodes. */
const DEPARTURES_MAX = 20_000;

/** The last time that a frame can tell. Two registrations at it are ordered by their nodes. */
const AT_MAX = 2 ** 52;

/**
 * The ids of the agents of all nodes: announces those of this node as they come and go, all of them to a node that joins,
 * and knows those of the others.
 *
 * When two nodes have one id, the later registration wins. Nodes share no clock, so each registration gets a time that
 * both ends compare alike: by the clock of its node, but after every other time that the node has heard of. So a
 * registration is later than all that its node knew. Of two that knew nothing of each other, the clocks decide, and
 * of equal times the ids of the nodes.
 */
export class Directory implements Part {
  readonly #own = new Map<string, { identity: AgentIdentity; at: number }>();
  /** The times of registration by the agents' ids, by the nodes' ids. */
  readonly #nodes = new Map<string, Map<string, number>>();
  /** When agents left other nodes, by the agents' ids. */
  readonly #departures = new BoundedMap<string, number>(DEPARTURES_MAX);
  readonly #changed = new Set<string>();
  /** The ids that nodes which have joined are still to be sent. */
  readonly #unsent = new Map<string, string[]>();
  readonly #announceSoon: () => void;
  #lastAt = 0;

  constructor(private readonly options: DirectoryOptions) {
    this.#announceSoon = coalesce(options.soon, () => this.#announce());
  }

  readonly frames: Part["frames"] = { agents: (from, frame) => this.#take(from, frame) };

  /** Learns from the relay which agents come and go. */
  readonly observer: Pick<RelayObserver, "joined" | "left"> = {
    joined: (identity) => {
      this.#lastAt = Math.min(Math.max(this.#lastAt + 1, this.options.clock.now()), AT_MAX);
      this.#own.set(identity.id, { identity, at: this.#lastAt });
      this.#changes(identity.id);
    },
    left: ({ id }) => {
      this.#own.delete(id);
      this.#changes(id);
    },
  };

  /** How many agents the other nodes have. */
  get size(): number {
    return this.#nodes.values().reduce((sum, ids) => sum + ids.size, 0);
  }

  /** Returns the id of the other node that has the agent; undefined if none is known to have it. */
  nodeOf(agentId: string): string | undefined {
    let found: { nodeId: string; at: number } | undefined;
    for (const [nodeId, ids] of this.#nodes) {
      const at = ids.get(agentId);
      if (at !== undefined && (!found || isLater({ nodeId, at }, found))) found = { nodeId, at };
    }
    return found?.nodeId;
  }

  /** Returns the agent of this node with the id. */
  own(agentId: string): AgentIdentity | undefined {
    return this.#own.get(agentId)?.identity;
  }

  /** Returns when the agent left another node, in milliseconds since 1970, unless a node has it again. */
  departedAt(agentId: string): number | undefined {
    return this.#departures.get(agentId);
  }

  /** Whether some of the ids are still to be sent to a node that has joined. */
  isTelling(nodeId: string): boolean {
    return this.#unsent.has(nodeId);
  }

  joined(node: NodeInfo): void {
    this.#nodes.set(node.id, new Map());
    this.#unsent.set(node.id, [...this.#own.keys()]);
    this.#announceSoon();
  }

  lost(node: NodeInfo): void {
    const now = this.options.clock.now();
    const ids = this.#nodes.get(node.id);
    this.#nodes.delete(node.id);
    this.#unsent.delete(node.id);
    for (const id of ids?.keys() ?? []) this.#departed(id, now);
  }

  #changes(id: string): void {
    if (this.#nodes.size === 0) return;
    this.#changed.add(id);
    this.#announceSoon();
  }

  /** Sends what has changed, and a part of what new nodes do not know yet. */
  #announce(): void {
    const { link } = this.options;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (let at = 0; at < changed.length; at += FRAME_IDS_MAX)
      link.sendAll(this.#frameOf(changed.slice(at, at + FRAME_IDS_MAX)));
    for (const [nodeId, ids] of this.#unsent) {
      // One that has left meanwhile, or came again, makes no difference.
      link.send(nodeId, this.#frameOf(ids.splice(-FRAME_IDS_MAX)));
      if (ids.length === 0) this.#unsent.delete(nodeId);
    }
    if (this.#unsent.size > 0) this.#announceSoon();
  }

  #frameOf(ids: readonly string[]): FrameOf<"agents"> {
    const frame: FrameOf<"agents"> = { kind: "agents", joined: [], left: [] };
    for (const id of ids) {
      const own = this.#own.get(id);
      if (own) frame.joined.push([id, own.at]);
      else frame.left.push(id);
    }
    return frame;
  }

  #take(from: NodeInfo, { joined, left }: FrameOf<"agents">): void {
    const ids = this.#nodes.get(from.id);
    if (!ids) return;
    const now = this.options.clock.now();
    for (const id of left) if (ids.delete(id)) this.#departed(id, now);
    for (const [id, at] of joined) {
      if (ids.size >= NODE_IDS_MAX && !ids.has(id)) continue;
      ids.set(id, at);
      this.#lastAt = Math.max(this.#lastAt, at);
      this.#departures.delete(id);
      const own = this.#own.get(id);
      const isReplaced =
        own && isLater({ nodeId: from.id, at }, { nodeId: this.options.link.self.id, ...own });
      if (isReplaced) this.options.replaced(id);
    }
  }

  #departed(id: string, now: number): void {
    if (this.nodeOf(id) === undefined && !this.#own.has(id)) this.#departures.set(id, now);
  }
}

interface RegisteredAt {
  nodeId: string;
  at: number;
}

const isLater = (one: RegisteredAt, other: RegisteredAt): boolean =>
  one.at === other.at ? one.nodeId > other.nodeId : one.at > other.at;
