import { BoundedMap } from "../../bounded-map.ts";

/** The position of a chat at a v1 agent, which has its messages. */
export interface Thread {
  conversation: string;
  /** The `response_id` of the last answer. */
  parent: string;
  agent: string;
}

const THREADS_MAX = 10_000;

/**
 * Finds the conversation that a chat continues by a hash of its owner and of the messages before its question, as
 * callers of the OpenAI-style API name none. Forgets the chats continued longest ago.
 */
export class Threads {
  readonly #threads = new BoundedMap<string, Thread>(THREADS_MAX);
  /** Tells other nodes of a thread: resolves once they know it. Undefined if there are none. */
  share: ((key: string, thread: Thread) => Promise<unknown> | undefined) | undefined;

  get(key: string): Thread | undefined {
    return this.#threads.get(key);
  }

  /** Returns the threads continued last, up to so many, the youngest last. */
  recent(max: number): [key: string, thread: Thread][] {
    return [...this.#threads].slice(-max);
  }

  /** Keeps a thread. The answer ends when the promise resolves, as the next question may go to another node. */
  keep(key: string, thread: Thread): Promise<unknown> | undefined {
    this.learn(key, thread);
    return this.share?.(key, thread);
  }

  /** Keeps the thread of an answer that another node gave. */
  learn(key: string, thread: Thread): void {
    this.#threads.set(key, thread);
  }
}
