import type { Cancel, Clock } from "../clock.ts";
import type { FrameOf } from "../protocol/node/frames.ts";
import type { ListName, ListRows } from "../protocol/node/lists.ts";
import type { Link, NodeInfo, Part } from "./part.ts";

/**
 * The rows of this node, made while they are sent. `total` is how many there are, if `rows` may leave some out. With
 * `user`, they are those of the user.
 */
export type OwnRows = {
  [Name in ListName]: (user?: string) => { rows: Iterable<ListRows[Name]>; total?: number };
};

interface ListsOptions {
  link: Pick<Link, "self" | "nodes" | "send" | "bufferedBytes">;
  clock: Clock;
  /** Returns the rows of this node, which are known later than the link. */
  own: () => OwnRows;
}

/** The rows of one other node. */
export interface RowsOfNode<Row> {
  /** The name of the node. */
  node: string;
  rows: Row[];
  /** How many there are, if the node does not send all. */
  total: number;
}

export interface PeerRows<Row> {
  nodes: RowsOfNode<Row>[];
  /** The names of the nodes that did not send all of their rows in time. Some of them may be there. */
  missing: string[];
}

/** Lists wait this long for the other nodes. */
const WITHIN_MS = 1_000;

/** The rows of one frame: so many are made in one turn of the event loop. */
const PIECE_ROWS = 250;

/** The most rows of one node. */
const NODE_ROWS_MAX = 20_000;

/** More rows are sent once less than this waits for the node. */
const BUFFERED_BYTES_MAX = 4 * 1024 ** 2;
const BUFFERED_CHECK_MS = 10;

/** The lists that a node is sent at the same time. Those beyond get no answer. */
const SENDING_MAX = 16;

/** One question to all other nodes. */
interface Round {
  list: ListName;
  found: Map<string, RowsOfNode<unknown>>;
  /** The nodes that have not sent everything yet, by their ids. */
  open: Map<string, NodeInfo>;
  missing: string[];
  stop: Cancel;
  finish(): void;
}

/**
 * The lists of all nodes: asks the others for their rows, and sends them those of this node. No list waits longer than
 * a second, and none fails because of another node.
 */
export class ClusterLists implements Part {
  readonly #rounds = new Map<number, Round>();
  /** The rounds that others may join, by what they ask for. */
  readonly #shared = new Map<string, Promise<PeerRows<unknown>>>();
  /** The lists that each node is being sent, by the nodes' ids. */
  readonly #sending = new Map<string, Set<Sent>>();
  #numbers = 0;

  constructor(private readonly options: ListsOptions) {}

  readonly frames: Part["frames"] = {
    ask_list: (from, frame) => this.#answer(from, frame),
    list: (from, frame) => this.#take(from, frame),
  };

  /** The name of this node. */
  get name(): string {
    return this.options.link.self.name;
  }

  /** Returns the agents of the other nodes. */
  agents(): Promise<PeerRows<ListRows["agents"]>> {
    return this.#ask("agents");
  }

  /** Returns the connections of the other nodes. */
  connections(): Promise<PeerRows<ListRows["connections"]>> {
    return this.#join("connections");
  }

  /** Returns the requests that wait at other nodes; with `user`, those of the user. */
  waiting(user?: string): Promise<PeerRows<ListRows["waiting"]>> {
    return this.#join("waiting", user);
  }

  lost(node: NodeInfo): void {
    this.#sending.delete(node.id);
    for (const round of [...this.#rounds.values()]) this.#end(round, node.id, "missing");
  }

  stop(): void {
    for (const { finish } of [...this.#rounds.values()]) finish();
  }

  /** Joins the round that asks for the same: a caller who asks often does not make all nodes work as often. */
  #join<Name extends ListName>(list: Name, user?: string): Promise<PeerRows<ListRows[Name]>> {
    const key = `${list} ${user ?? ""}`;
    const open = this.#shared.get(key) as Promise<PeerRows<ListRows[Name]>> | undefined;
    if (open !== undefined) return open;
    const round = this.#ask(list, user);
    this.#shared.set(key, round);
    void round.then(() => this.#shared.delete(key));
    return round;
  }

  #ask<Name extends ListName>(list: Name, user?: string): Promise<PeerRows<ListRows[Name]>> {
    const { link, clock } = this.options;
    const { promise, resolve } = Promise.withResolvers<PeerRows<ListRows[Name]>>();
    const n = ++this.#numbers;
    const round: Round = {
      list,
      found: new Map(),
      open: new Map(link.nodes),
      missing: [],
      stop: clock.after(WITHIN_MS, () => round.finish()),
      finish: () => {
        round.stop();
        this.#rounds.delete(n);
        // Only rows of this list were taken.
        const nodes = [...round.found.values()] as RowsOfNode<ListRows[Name]>[];
        resolve({ nodes, missing: [...round.missing, ...[...round.open.values()].map(({ name }) => name)] });
      },
    };
    this.#rounds.set(n, round);
    if (round.open.size === 0) round.finish();
    for (const id of round.open.keys())
      link.send(id, { kind: "ask_list", n, list, ...(user !== undefined && { user }) });
    return promise;
  }

  #take(from: NodeInfo, frame: FrameOf<"list">): void {
    const round = this.#rounds.get(frame.n);
    if (!round?.open.has(from.id)) return;
    const rows = frame[round.list];
    // A node of another version may not have the list.
    if (!rows) {
      this.#end(round, from.id, "missing");
      return;
    }
    const found = round.found.get(from.id) ?? { node: from.name, rows: [], total: 0 };
    round.found.set(from.id, found);
    const taken = rows.slice(0, NODE_ROWS_MAX - found.rows.length);
    found.rows.push(...taken);
    found.total = Math.max(frame.total ?? 0, found.rows.length);
    if (taken.length < rows.length) this.#end(round, from.id, "missing");
    else if (!frame.more) this.#end(round, from.id, "whole");
  }

  #end(round: Round, nodeId: string, how: "whole" | "missing"): void {
    const node = round.open.get(nodeId);
    if (!node) return;
    round.open.delete(nodeId);
    if (how === "missing") round.missing.push(node.name);
    if (round.open.size === 0) round.finish();
  }

  #answer(from: NodeInfo, { n, list, user }: FrameOf<"ask_list">): void {
    const { link } = this.options;
    if (!isKnown(list)) {
      link.send(from.id, { kind: "list", n });
      return;
    }
    const sending = this.#sending.getOrInsertComputed(from.id, () => new Set());
    if (sending.size >= SENDING_MAX) return;
    const { rows, total } = this.options.own()[list](user);
    const until = this.options.clock.now() + WITHIN_MS;
    // One row more tells the receiver that there are too many.
    const sent: Sent = { n, list, total, rows: rows[Symbol.iterator](), left: NODE_ROWS_MAX + 1, until };
    sending.add(sent);
    this.#sendRows(from, sent);
  }

  /** Sends some rows, and the rest in later turns of the event loop. */
  #sendRows(to: NodeInfo, sent: Sent): void {
    const { link, clock } = this.options;
    const sending = this.#sending.get(to.id);
    if (!sending?.has(sent)) return;
    const { n, list, total, rows, until } = sent;
    if (clock.now() > until) {
      sending.delete(sent);
      return;
    }
    if (link.bufferedBytes(to.id) > BUFFERED_BYTES_MAX) {
      clock.after(BUFFERED_CHECK_MS, () => this.#sendRows(to, sent));
      return;
    }
    const { piece, isLast } = takePiece(rows, Math.min(PIECE_ROWS, sent.left));
    sent.left -= piece.length;
    link.send(to.id, {
      ...{ kind: "list", n, [list]: piece },
      ...(total !== undefined && { total }),
      ...(!isLast && { more: true }),
    });
    if (isLast || sent.left === 0) sending.delete(sent);
    else clock.after(0, () => this.#sendRows(to, sent));
  }
}

interface Sent {
  n: number;
  list: ListName;
  total: number | undefined;
  rows: Iterator<unknown>;
  /** How many more rows may be sent. */
  left: number;
  /** Nobody waits for them after this time. */
  until: number;
}

const KNOWN: Record<ListName, true> = { agents: true, connections: true, waiting: true };
const isKnown = (list: string): list is ListName => Object.hasOwn(KNOWN, list);

function takePiece(rows: Iterator<unknown>, count: number): { piece: unknown[]; isLast: boolean } {
  const piece: unknown[] = [];
  while (piece.length < count) {
    const next = rows.next();
    if (next.done) return { piece, isLast: true };
    piece.push(next.value);
  }
  return { piece, isLast: false };
}
