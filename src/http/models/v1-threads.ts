/** Where a chat stands at an agent of the reference's protocol, which has its words. */
export interface Thread {
  conversation: string;
  /** The `response_id` of the last answer. */
  parent: string;
  agent: string;
}

const THREADS_MAX = 10_000;

/**
 * Finds the conversation that a chat goes on with by the messages before its question, as callers of the
 * OpenAI-style API name no conversation. Forgets the ones that were longest unused.
 */
export class Threads {
  readonly #threads = new Map<string, Thread>();

  /** `key` stands for the owner and all messages. */
  find(key: string): Thread | undefined {
    return this.#threads.get(key);
  }

  remember(key: string, thread: Thread): void {
    this.#threads.delete(key);
    const [oldest] = this.#threads.size >= THREADS_MAX ? this.#threads.keys() : [];
    if (oldest !== undefined) this.#threads.delete(oldest);
    this.#threads.set(key, thread);
  }
}
