import type { StoredConversation, StoredTurn } from "../store.ts";

const PENDING_MAX = 10_000;

export type PendingConversation = StoredConversation & { usedAt: number; turns: readonly StoredTurn[] };

/** What waits to be written. When writing fails for long, the oldest are given up. */
export interface PendingConversations {
  readonly size: number;
  find(id: string): PendingConversation | undefined;
  /** Adds to what waits under its id; ignored where that is not to be changed by it. */
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
      const { id } = conversation;
      const known = waiting.get(id);
      if (known && !mayChange(known, conversation)) return;
      const [oldest] = !known && waiting.size >= PENDING_MAX ? waiting.keys() : [];
      if (oldest !== undefined && waiting.delete(oldest)) lost++;
      const turns = known ? [...known.turns, ...conversation.turns] : conversation.turns;
      waiting.set(id, { ...conversation, turns });
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

/** Only its owner goes on with a conversation, and another agent only with one whose words are here. */
function mayChange(known: StoredConversation, next: StoredConversation): boolean {
  return known.user === next.user && known.kept === next.kept && (known.kept || known.agent === next.agent);
}
