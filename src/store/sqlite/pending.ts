import { isSamePrincipal, userIdOf } from "../../principal.ts";
import type { StoredConversation, StoredTurn } from "../store.ts";
import type { Pending } from "./write-behind.ts";

const PENDING_MAX = 10_000;

export type PendingConversation = StoredConversation & { usedAt: number; turns: readonly StoredTurn[] };

export interface PendingConversations extends Pending<PendingConversation> {
  find(id: string): PendingConversation | undefined;
  /** Adds to what waits under its id; ignored where that is not to be changed by it. */
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

/** Only its owner goes on with a conversation, and another agent only with one whose words are here. */
function mayChange(known: StoredConversation, next: StoredConversation): boolean {
  if (!isSamePrincipal(known.owner, next.owner)) return false;
  return known.kept === next.kept && (known.kept || known.agent === next.agent);
}
