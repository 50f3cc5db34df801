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
 * Finds the conversation that a chat continues by the messages before its question, as callers of the
 * OpenAI-style API name no conversation. Forgets the chats that were continued longest ago.
 */
export class Threads {
  readonly #threads = new BoundedMap<string, Thread>(THREADS_MAX);

  /** `key` is a hash of the owner and all messages. */
  find(key: string): Thread | undefined {
    return this.#threads.get(key);
  }

  remember(key: string, thread: Thread): void {
    this.#threads.set(key, thread);
  }
}
