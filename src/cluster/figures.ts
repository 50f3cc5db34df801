import type { Cancel, Clock } from "../clock.ts";
import {
  ASKS_MAX,
  type NodeOverview,
  type NodeSecond,
  SAMPLE_FIELDS,
  SECONDS_MAX,
} from "../protocol/node/lists.ts";
import type { Link, NodeInfo, Part } from "./part.ts";

interface FiguresOptions {
  link: Pick<Link, "self" | "nodes" | "send">;
  clock: Clock;
  /** Makes the overview of this node, up to the second that was last passed to `publish`. */
  overview: () => Promise<NodeOverview>;
}

/** The figures of a node, up to the last call of `take`. */
export interface FiguresOfNode {
  node: NodeInfo;
  overview: NodeOverview;
}

/** A node whose figures this one gets. */
interface Watched {
  node: NodeInfo;
  /** Undefined until the node has sent it. */
  overview: NodeOverview | undefined;
  /** The seconds that it has sent since the last call of `take`. */
  seconds: NodeSecond[];
  /** When it last sent something, or was first asked. */
  heardAt: number;
}

/** A node sends its figures for this long after it was asked. */
const WATCH_MS = 5_000;
/** Until then a node that was asked has surely sent each second. */
const SENT_MS = WATCH_MS - 1_000;
/** A node that still wants them asks again after this time. */
const RENEW_MS = 2_000;
/** The first overviews are awaited this long. */
const WITHIN_MS = 1_000;
/** A node that has sent nothing for this long counts as missing. */
const SILENCE_MS = 3_000;
/** The seconds of a node that may wait to be taken. */
const SECONDS_WAITING_MAX = 10;

/**
 * The figures of all nodes, for the live views. A node sends them to those that ask, which they do only while somebody
 * looks: first its overview, then each of its seconds.
 */
export class ClusterFigures implements Part {
  /** The nodes that want the figures of this one, by their ids, until when, and whether their overview is being made. */
  readonly #watchers = new Map<string, { until: number; isMaking: boolean }>();
  readonly #watched = new Map<string, Watched>();
  readonly #waiting = new Set<() => void>();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: FiguresOptions) {}

  readonly frames: Part["frames"] = {
    watch: (from, { for_ms, overview = false }) => this.#noteWatcher(from, for_ms, overview),
    overview: (from, { overview }) => this.#noteOverview(from, overview),
    second: (from, { second }) => this.#noteSecond(from, second),
  };

  /* For the other nodes. */

  /** Whether another node wants the figures of this one. */
  get isWatched(): boolean {
    const now = this.options.clock.now();
    for (const [id, { until }] of this.#watchers) if (until <= now) this.#watchers.delete(id);
    return this.#watchers.size > 0;
  }

  /** Sends the second to the nodes that want it. */
  publish(second: NodeSecond): void {
    if (!this.isWatched) return;
    for (const id of this.#watchers.keys()) this.options.link.send(id, { kind: "second", second });
  }

  /* For the views of this node. */

  get self(): NodeInfo {
    return this.options.link.self;
  }

  /** Asks the other nodes for their figures for some seconds. Call it each second while somebody looks. */
  watch(): void {
    const { link, clock } = this.options;
    const now = clock.now();
    const passedMs = now - this.#askedAt;
    const isDue = passedMs >= RENEW_MS;
    if (isDue) this.#askedAt = now;
    for (const node of link.nodes.values()) {
      const watched = this.#watched.get(node.id);
      const isLost = !watched || passedMs >= SENT_MS || now - watched.heardAt >= SILENCE_MS;
      if (isLost) this.#watched.set(node.id, { node, overview: undefined, seconds: [], heardAt: now });
      if (isLost) link.send(node.id, { kind: "watch", for_ms: WATCH_MS, overview: true });
      else if (isDue) link.send(node.id, { kind: "watch", for_ms: WATCH_MS });
    }
  }

  /** Does the same. Resolves when the figures of every node are here, or after a second. */
  async watched(): Promise<void> {
    this.watch();
    if (this.#isComplete()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    let stop: Cancel | undefined;
    const end = () => {
      stop?.();
      this.#waiting.delete(end);
      resolve();
    };
    this.#waiting.add(end);
    stop = this.options.clock.after(WITHIN_MS, end);
    return promise;
  }

  /** Returns the seconds that the nodes have sent since the last call. Call it once a second. */
  take(): NodeSecond[] {
    if (this.options.clock.now() - this.#askedAt > WATCH_MS) this.#watched.clear();
    return [...this.#watched.values()].flatMap((watched) => {
      const { overview, seconds } = watched;
      watched.seconds = [];
      if (!overview) return [];
      for (const second of seconds) addSecond(overview, second);
      return seconds;
    });
  }

  /** Returns the figures of the nodes up to the last call of `take`, and the names of those that send none. */
  read(): { nodes: FiguresOfNode[]; missing: string[] } {
    const now = this.options.clock.now();
    const nodes: FiguresOfNode[] = [];
    const missing: string[] = [];
    for (const node of this.options.link.nodes.values()) {
      const { overview, heardAt = 0 } = this.#watched.get(node.id) ?? {};
      if (overview && now - heardAt < SILENCE_MS) nodes.push({ node, overview });
      else missing.push(node.name);
    }
    return { nodes, missing };
  }

  lost(node: NodeInfo): void {
    this.#watchers.delete(node.id);
    this.#watched.delete(node.id);
    this.#endWaiting();
  }

  stop(): void {
    for (const end of [...this.#waiting]) end();
  }

  #noteWatcher(from: NodeInfo, forMs: number, wantsOverview: boolean): void {
    const { clock, link } = this.options;
    const until = clock.now() + Math.min(forMs, WATCH_MS);
    const watcher = this.#watchers.get(from.id) ?? { until, isMaking: false };
    watcher.until = until;
    this.#watchers.set(from.id, watcher);
    if (!wantsOverview || watcher.isMaking) return;
    watcher.isMaking = true;
    const send = (overview: NodeOverview) => {
      if (this.#watchers.get(from.id) === watcher) link.send(from.id, { kind: "overview", overview });
    };
    // Without its overview this node is missing in the view, which asks again.
    const end = () => {
      watcher.isMaking = false;
    };
    this.options.overview().then(send).then(end, end);
  }

  #noteOverview({ id }: NodeInfo, overview: NodeOverview): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    Object.assign(watched, { overview, seconds: [], heardAt: this.options.clock.now() });
    this.#endWaiting();
  }

  #noteSecond({ id }: NodeInfo, second: NodeSecond): void {
    const watched = this.#watched.get(id);
    // What happened before the overview is in it.
    if (!watched?.overview) return;
    watched.heardAt = this.options.clock.now();
    watched.seconds.push(second);
    if (watched.seconds.length > SECONDS_WAITING_MAX) watched.seconds.shift();
  }

  #isComplete(): boolean {
    return [...this.options.link.nodes.keys()].every((id) => this.#watched.get(id)?.overview);
  }

  #endWaiting(): void {
    if (this.#waiting.size > 0 && this.#isComplete()) for (const end of [...this.#waiting]) end();
  }
}

/** Brings the overview of a node up to its next second. */
function addSecond(overview: NodeOverview, { sample, asks, models, ...pool }: NodeSecond): void {
  Object.assign(overview, pool);
  if (models) overview.models = models;
  overview.asks = [...asks, ...overview.asks].slice(0, ASKS_MAX);
  for (const field of SAMPLE_FIELDS) {
    const values: (number | null)[] = overview.samples[field];
    values.push(sample[field]);
    if (values.length > SECONDS_MAX) values.shift();
  }
}
