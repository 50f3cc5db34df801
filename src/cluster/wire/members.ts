import { BoundedMap } from "../../bounded-map.ts";
import type { Log } from "../../log/log.ts";
import { printable } from "../../printable.ts";
import { parseSync, type Sync } from "../../protocol/node/sync.ts";
import type { NodeInfo } from "../part.ts";
import type { Delivery } from "./delivery.ts";
import { ALL, type Head } from "./message.ts";
import { Pair, type PairOptions } from "./pair.ts";

interface MembersOptions {
  self: NodeInfo;
  /** The version of the frames that this node writes, and the oldest that it understands. */
  protocol: { writes: number; accepts: number };
  pair: Omit<PairOptions, "deliver" | "tooLarge">;
  delivery: Delivery;
  log: Pick<Log, "info" | "warn">;
}

/** Why a node is lost. */
export type LostReason = "left" | "silent" | "gone" | "nats_lost";
/** Why two nodes must begin anew. */
export type ResetReason = "messages_gone" | "buffer_full" | "too_large" | "unacknowledged" | "other_end";

/** The nodes that are in touch or about to be. */
const PAIRS_MAX = 64;
/** A version that cannot be understood is logged once in this time. */
const LOG_EVERY_MS = 60_000;
const VERSIONS_LOGGED_MAX = 16;
const NAME_LENGTH_MAX = 256;

/**
 * The other nodes. Two nodes that hear each other's beats first exchange their epochs, which shows that neither hears
 * a recording. Then both have joined.
 */
export class Members {
  /** Those that have joined. */
  readonly nodes = new Map<string, NodeInfo>();
  readonly pairs = new Map<string, Pair>();
  resets = 0;
  /** Messages of epochs that have ended, and malformed ones. */
  ignored = 0;
  readonly #options: MembersOptions;
  readonly #pairOptions: PairOptions;
  readonly #loggedAt = new BoundedMap<string, number>(VERSIONS_LOGGED_MAX);
  #resends = 0;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#pairOptions = {
      ...options.pair,
      deliver: (pair, given) => {
        const { info, id } = pair;
        if (info) options.delivery.take(info, given, () => this.pairs.get(id) === pair);
      },
      tooLarge: (pair) => this.reset(pair, "too_large"),
    };
  }

  get resends(): number {
    return [...this.pairs.values()].reduce((sum, { resends }) => sum + resends, this.#resends);
  }

  /** Takes a message of another node whose proof is right. */
  take(head: Head, body: Buffer): void {
    if (head.to !== ALL && head.to !== this.#options.self.id) this.ignored += 1;
    else if (head.seq === undefined) this.#control(head, body);
    else this.#content(head, body);
  }

  lose(pair: Pair, reason: LostReason): void {
    const { info } = pair;
    this.#forget(pair);
    if (!pair.isJoined || !info) return;
    const { log } = this.#options;
    log[reason === "left" ? "info" : "warn"]("node_lost", { ...fieldsOf(info), reason });
    this.#options.delivery.tell("lost", info);
  }

  /** Ends what this node has with the other. Both begin anew. */
  reset(pair: Pair, reason: ResetReason, peerEpoch = ""): void {
    const { info } = pair;
    if (this.pairs.get(pair.id) !== pair) return;
    this.#forget(pair);
    const next = this.#meet(pair.id);
    if (!next) return;
    next.info = info;
    next.meet(peerEpoch);
    if (pair.isJoined && info) {
      this.resets += 1;
      this.#options.log.warn("peer_reset", { ...fieldsOf(info), reason });
      this.#options.delivery.tell("lost", info);
    }
    next.sync();
  }

  #control(head: Head, body: Buffer): void {
    const sync = parseSync(body.toString());
    if (!sync) {
      this.ignored += 1;
      return;
    }
    if (!this.#understands(sync)) {
      this.#refuse(head.from, sync);
      return;
    }
    const known = this.pairs.get(head.from);
    if (head.to === ALL) {
      if (!known) this.#meet(head.from)?.sync();
      return;
    }
    if (sync.leave) {
      if (known?.isOf(head)) this.lose(known, "left");
      return;
    }
    const pair = known ?? this.#meet(head.from);
    if (pair) this.#agree(pair, head, sync);
  }

  /** Whether both ends understand each other. Both find the same. */
  #understands({ protocol, accepts = protocol }: Sync): boolean {
    const own = this.#options.protocol;
    return protocol >= own.accepts && own.writes >= accepts;
  }

  #refuse(id: string, sync: Sync): void {
    this.ignored += 1;
    const { log, protocol: own, pair, self } = this.#options;
    const key = `${sync.version} ${sync.protocol}`.slice(0, NAME_LENGTH_MAX);
    const now = pair.clock.now();
    if (now - (this.#loggedAt.get(key) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(key, now);
    const info = infoOf(id, sync);
    const { protocol, accepts = protocol } = sync;
    log.warn(
      "node_incompatible",
      { ...fieldsOf(info), protocol, accepts },
      `The node ${info.name} of version ${info.version} speaks version ${protocol} of the frames between nodes, and understands ${accepts} and later. This node of version ${self.version} speaks ${own.writes}, and understands ${own.accepts} and later. They work without each other: give all nodes one version of the server.`,
    );
  }

  /** Lets both ends learn each other's epochs. */
  #agree(pair: Pair, head: Head, sync: Sync): void {
    const isAnswer = head.peer === pair.epoch;
    if (pair.isJoined && head.epoch !== pair.peerEpoch) {
      // Anything else may be a recording.
      if (isAnswer) this.reset(pair, "other_end", head.epoch);
      else pair.sync();
      return;
    }
    if (!pair.isJoined) {
      pair.meet(head.epoch);
      this.#learn(pair, sync);
    }
    if (!isAnswer) {
      if (!pair.isJoined) pair.sync();
      return;
    }
    if (!pair.isNewer(sync)) {
      this.ignored += 1;
      return;
    }
    this.#learn(pair, sync);
    if (!pair.isJoined) this.#join(pair);
    if (!pair.synced(sync)) this.reset(pair, "messages_gone");
  }

  #content(head: Head, body: Buffer): void {
    const pair = this.pairs.get(head.from);
    if (!pair?.isOf(head)) {
      this.ignored += 1;
      return;
    }
    if (!pair.isJoined) this.#join(pair);
    pair.take(head, body);
  }

  #join(pair: Pair): void {
    const { info } = pair;
    if (!info) return;
    const { log, delivery, self } = this.#options;
    pair.isJoined = true;
    this.nodes.set(pair.id, info);
    log.info("node_joined", fieldsOf(info));
    const namesakes = [self, ...this.nodes.values()].filter(
      ({ id, name }) => id !== pair.id && name === info.name,
    );
    if (namesakes.length > 0)
      log.warn(
        "node_name_shared",
        { name: info.name, nodes: [pair.id, ...namesakes.map(({ id }) => id)].join(" ") },
        `Several nodes have the name ${info.name}. Give each its own with --node-name.`,
      );
    pair.sync();
    delivery.tell("joined", info);
  }

  #learn(pair: Pair, sync: Sync): void {
    const { info } = pair;
    const next = infoOf(pair.id, sync);
    if (info && info.name === next.name && info.draining === next.draining) return;
    pair.info = next;
    if (!pair.isJoined) return;
    this.nodes.set(pair.id, next);
    this.#options.delivery.tell("changed", next);
  }

  #meet(id: string): Pair | undefined {
    if (this.pairs.size >= PAIRS_MAX && !this.#makeRoom()) {
      this.ignored += 1;
      return undefined;
    }
    const pair = new Pair(id, this.#pairOptions);
    this.pairs.set(id, pair);
    return pair;
  }

  /**
   * Forgets a node that has not joined. Recorded beats of former nodes may make any number of them, but never an answer:
   * so those that have answered stay longest, and those at which nobody listens go first.
   */
  #makeRoom(): boolean {
    const meeting = [...this.pairs.values()].filter(({ isJoined }) => !isJoined);
    const silent = meeting.filter(({ peerEpoch }) => peerEpoch === "");
    const pair = silent.find(({ unanswered }) => unanswered > 0) ?? silent[0] ?? meeting[0];
    if (pair) this.#forget(pair);
    return pair !== undefined;
  }

  #forget(pair: Pair): void {
    this.#resends += pair.resends;
    this.pairs.delete(pair.id);
    this.nodes.delete(pair.id);
  }
}

/** Returns what a node says of itself. Its name may have been written by anybody. */
function infoOf(id: string, sync: Sync): NodeInfo {
  return {
    id,
    name: printable(sync.name.slice(0, NAME_LENGTH_MAX)),
    version: printable(sync.version.slice(0, NAME_LENGTH_MAX)),
    startedAt: sync.started_at,
    draining: sync.draining,
  };
}

const fieldsOf = ({ id, name, version }: NodeInfo) => ({ node: id, name, version });
