import type { Principal } from "../principal.ts";

/** What a conversation is continued from. */
export interface Conversation {
  id: string;
  /** Who began it. */
  owner: Principal;
  /** The agent that answered last. Unless the conversation is `kept`, only this agent has its text. */
  agent: string;
  /** The server keeps the text, so that any agent can continue the conversation. */
  kept: boolean;
  /** The model that answered last, if it is known. */
  model: string | undefined;
}

/** One question with its answer. */
export interface Turn {
  /** The `response_id`. */
  id: string;
  /** The turn that this one continues; undefined for the first. */
  parent: string | undefined;
  question: string;
  answer: string;
}

export interface Conversations {
  find(id: string): Promise<Conversation | undefined>;
  /**
   * Returns the turns from the first to the one with the id `last`, or to the newest, oldest first; undefined if
   * the conversation has no such turn.
   */
  branch(conversation: string, last: string | undefined): Promise<Turn[] | undefined>;
  /**
   * Keeps a new conversation, or notes that a known one was used, and keeps the turn if there is one. Returns
   * at once; the write follows. Nobody takes over a conversation by naming it: one with another owner is left
   * unchanged, and so is one whose text is at another agent. Only a kept one changes its agent and model.
   */
  remember(conversation: Conversation, turn?: Turn): void;
}
