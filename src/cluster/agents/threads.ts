import type { Clock } from "../../clock.ts";
import { MODEL_LENGTH_MAX } from "../../protocol/node/bounds.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { Questions } from "../questions.ts";

/** The position of a chat at a v1 agent. */
interface Thread {
  conversation: string;
  parent: string;
  agent: string;
}

interface ThreadsOptions {
  link: Pick<Link, "nodes" | "send">;
  clock: Pick<Clock, "after">;
  /** Runs something in a later turn of the event loop. */
  soon: Soon;
  /** Those of this node. */
  threads: {
    get(key: string): Thread | undefined;
    /** Keeps the position that another node tells. */
    learn(key: string, thread: Thread): void;
    /** Returns those continued last, up to so many, the youngest last. */
    recent(max: number): [key: string, thread: Thread][];
  };
}

/** How long an answer waits for nodes to keep where its chat continues. */
const KEPT_MS = 100;

/** The threads that are sent to a node which joins, and how many of them in one turn of the event loop. */
const HANDED_MAX = 2_000;
const TURN_MAX = 200;

/**
 * Tells all nodes where chats of v1 agents continue, so that any of them can continue one, and a node that joins the
 * recent ones.
 */
export class SharedThreads implements Part {
  readonly #questions: Questions<true>;
  /** The threads that are still to be sent to nodes which have joined, the youngest last. */
  readonly #unsent = new Map<string, [key: string, thread: Thread][]>();
  readonly #sendSoon: () => void;

  constructor(private readonly options: ThreadsOptions) {
    this.#questions = new Questions(options.clock, KEPT_MS);
    this.#sendSoon = coalesce(options.soon, () => this.#send());
  }

  readonly frames: Part["frames"] = {
    thread: ({ id }, { n, key, conversation, parent, agent }) => {
      this.options.threads.learn(key, { conversation, parent, agent });
      this.options.link.send(id, { kind: "thread_kept", n });
    },
    thread_kept: ({ id }, { n }) => this.#questions.answered(id, n, true),
    threads: (_, { threads: told }) => {
      const { threads } = this.options;
      // What this node knows itself is as new.
      for (const { key, ...thread } of told) if (!threads.get(key)) threads.learn(key, thread);
    },
  };

  /**
   * Tells the other nodes where a chat continues. Resolves when they know it, and at the latest after 100 ms; undefined
   * if there is no other node.
   */
  share(key: string, thread: Thread): Promise<unknown> | undefined {
    const { link } = this.options;
    if (link.nodes.size === 0 || !isShort(thread)) return undefined;
    const { conversation, parent, agent } = thread;
    const frame = { kind: "thread", key, conversation, parent, agent } as const;
    return Promise.all(
      [...link.nodes.keys()].map((nodeId) =>
        this.#questions.ask(nodeId, (n) => link.send(nodeId, { ...frame, n })),
      ),
    );
  }

  joined({ id }: NodeInfo): void {
    const recent = this.options.threads.recent(HANDED_MAX).filter(([, thread]) => isShort(thread));
    if (recent.length === 0) return;
    this.#unsent.set(id, recent);
    this.#sendSoon();
  }

  lost({ id }: NodeInfo): void {
    this.#questions.lost(id);
    this.#unsent.delete(id);
  }

  stop(): void {
    this.#questions.stop();
  }

  /** Sends new nodes a part of the threads. */
  #send(): void {
    for (const [id, unsent] of this.#unsent) {
      const threads = unsent.splice(0, TURN_MAX).map(([key, thread]) => ({ key, ...thread }));
      this.options.link.send(id, { kind: "threads", threads });
      if (unsent.length === 0) this.#unsent.delete(id);
    }
    if (this.#unsent.size > 0) this.#sendSoon();
  }
}

const isShort = ({ conversation, parent }: Thread): boolean =>
  Math.max(conversation.length, parent.length) <= MODEL_LENGTH_MAX;
