import type { Clock } from "../../clock.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { Questions } from "./questions.ts";

/** The position of a chat at a v1 agent. */
interface Thread {
  conversation: string;
  parent: string;
  agent: string;
}

interface ThreadsOptions {
  link: Pick<Link, "nodes" | "send">;
  clock: Pick<Clock, "after">;
  /** Keeps the position that another node tells. */
  learn(key: string, thread: Thread): void;
}

/** How long an answer waits for nodes to keep where its chat continues. */
const KEPT_MS = 100;

/** Longer ids are told to nobody. */
const ID_LENGTH_MAX = 1024;

/** Tells all nodes where chats of v1 agents continue, so that any of them can continue one. */
export class SharedThreads implements Part {
  readonly #questions: Questions<true>;

  constructor(private readonly options: ThreadsOptions) {
    this.#questions = new Questions(options.clock, KEPT_MS);
  }

  readonly frames: Part["frames"] = {
    thread: ({ id }, { n, key, conversation, parent, agent }) => {
      this.options.learn(key, { conversation, parent, agent });
      this.options.link.send(id, { kind: "thread_kept", n });
    },
    thread_kept: ({ id }, { n }) => this.#questions.answered(id, n, true),
  };

  /**
   * Tells the other nodes where a chat continues. Resolves when they know it, and at the latest after 100 ms; undefined
   * if there is no other node.
   */
  share(key: string, { conversation, parent, agent }: Thread): Promise<unknown> | undefined {
    const { link } = this.options;
    if (link.nodes.size === 0 || Math.max(conversation.length, parent.length) > ID_LENGTH_MAX)
      return undefined;
    const frame = { kind: "thread", key, conversation, parent, agent } as const;
    return Promise.all(
      [...link.nodes.keys()].map((nodeId) =>
        this.#questions.ask(nodeId, (n) => link.send(nodeId, { ...frame, n })),
      ),
    );
  }

  lost({ id }: NodeInfo): void {
    this.#questions.lost(id);
  }

  stop(): void {
    this.#questions.stop();
  }
}
