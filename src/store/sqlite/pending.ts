import type { StoredConversation } from "../store.ts";

const PENDING_MAX = 10_000;

export type PendingConversation = StoredConversation & { usedAt: number };

/** What waits to be written. When writing fails for long, the oldest are given up. */
export interface PendingConversations {
  readonly size: number;
  find(id: string): PendingConversation | undefined;
  /** Ignored where the id waits already with another owner or agent. */
  put(conversation: PendingConversation): void;
  first(count: number): PendingConversation[];
  /** Takes out what was written; one that was put again since stays. */
  settle(written: readonly PendingConversation[]): void;
  dropUser(user: string): void;
  /** How many were given up since this was asked last. */
  takeLost(): number;
}

export function createPending(): PendingConversations {
  const waiting = new Map<string, PendingConversation>();
  let lost = 0;

  return {
    get size() {
      return waiting.size;
    },
    find: (id) => waiting.get(id),

    put(conversation) {
      const { id, user, agent } = conversation;
      const known = waiting.get(id);
      if (known && (known.user !== user || known.agent !== agent)) return;
      const [oldest] = !known && waiting.size >= PENDING_MAX ? waiting.keys() : [];
      if (oldest !== undefined && waiting.delete(oldest)) lost++;
      waiting.set(id, conversation);
    },

    first: (count) => [...waiting.values().take(count)],

    settle(written) {
      for (const row of written) if (waiting.get(row.id) === row) waiting.delete(row.id);
    },

    dropUser(user) {
      for (const row of waiting.values()) if (row.user === user) waiting.delete(row.id);
    },

    takeLost() {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}
