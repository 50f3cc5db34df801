import { isSamePrincipal, userIdOf } from "../principal.ts";
import type { Conversation, Turn } from "../relay/conversation.ts";
import { createWriteBehind, type WriteBehindOptions } from "./write-behind.ts";

/** A conversation that was used, with its new turns. */
export type UsedConversation = Conversation & { usedAt: number; turns: readonly Turn[] };

/** The length that a conversation counts for besides its texts. */
export const ROW_LENGTH = 1024;

export function lengthOf(turns: readonly Turn[]): number {
  return turns.reduce((sum, { question, answer }) => sum + question.length + answer.length, 0);
}

/** The conversations that were used and are not written yet. */
export function createRemembered(
  options: WriteBehindOptions,
  now: () => number,
  writeBatch: (conversations: readonly UsedConversation[]) => Promise<void>,
) {
  const behind = createWriteBehind(options, {
    noun: "conversations",
    keyOf: ({ id }: UsedConversation) => id,
    lengthOf: ({ turns }) => lengthOf(turns),
    writeBatch,
  });
  return {
    find(id: string): Conversation | undefined {
      const waiting = behind.find(id);
      if (!waiting) return undefined;
      const { usedAt: _, turns: __, ...conversation } = waiting;
      return conversation;
    },

    /**
     * Returns the pending turns up to the one with the id `last`, or to the newest, the last one first. Those before them
     * are written, or there are none.
     */
    branch(id: string, last: string | undefined): Turn[] {
      const turns = behind.find(id)?.turns ?? [];
      const known = new Map(turns.map((turn) => [turn.id, turn]));
      const branch: Turn[] = [];
      let turn = last === undefined ? turns.at(-1) : known.get(last);
      while (turn && branch.length < turns.length) {
        branch.push(turn);
        turn = turn.parent === undefined ? undefined : known.get(turn.parent);
      }
      return branch;
    },

    /** Remembers what `Conversations.remember` is called with. */
    add(conversation: Conversation, turn?: Turn): void {
      const known = behind.find(conversation.id);
      if (known && !mayContinue(known, conversation)) return;
      const turns = [...(known?.turns ?? []), ...(turn ? [turn] : [])];
      behind.put({ ...conversation, usedAt: now(), turns });
    },

    /** Drops the conversations of a deleted user. */
    dropUser: (user: string): void => behind.remove(({ owner }) => userIdOf(owner) === user),
    flush: behind.flush,
    tryFlush: behind.tryFlush,
    attempt: behind.attempt,
    end: behind.end,
  };
}

/** Returns whether the next use may change a conversation: only its owner continues it, and another agent only if the server keeps its text. */
export function mayContinue(known: Conversation, next: Conversation): boolean {
  if (!isSamePrincipal(known.owner, next.owner)) return false;
  return known.kept === next.kept && (known.kept || known.agent === next.agent);
}
