import { isSamePrincipal, userIdOf } from "../../principal.ts";
import type { Conversation, Turn } from "../../relay/conversations.ts";
import type { Pending } from "./write-behind.ts";

const PENDING_MAX = 10_000;

export type PendingConversation = Conversation & { usedAt: number; turns: readonly Turn[] };

export interface PendingConversations extends Pending<PendingConversation> {
  find(id: string): PendingConversation | undefined;
  /** Adds a conversation, or its turns to the pending one with its id, if it may change that one. */
  put(conversation: PendingConversation): void;
  dropUser(user: string): void;
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
      for (const row of waiting.values()) if (userIdOf(row.owner) === user) waiting.delete(row.id);
    },

    takeLost() {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}

/** Only the owner continues a conversation. Another agent continues it only if its words are kept here. */
function mayChange(known: Conversation, next: Conversation): boolean {
  if (!isSamePrincipal(known.owner, next.owner)) return false;
  return known.kept === next.kept && (known.kept || known.agent === next.agent);
}
