/**
 * What the server keeps, in its own nouns. Every promise of a change resolves only once the change
 * survives `kill -9` and a loss of power; reads see every change acknowledged before them.
 */
export interface Store {
  users: UserStore;
  conversations: ConversationStore;
  /** Writes what is still pending, then lets go of the file. */
  close(): Promise<void>;
}

export interface StoredUser {
  id: string;
  /** The token, encrypted; opened by `auth/seal.ts` for the administrator's list. */
  sealedToken: Uint8Array;
}

export interface NewUser extends StoredUser {
  /** SHA-256 of the token, lower-case hex. */
  tokenHash: string;
}

export interface UserStore {
  /** Adds all or, where an id or a token is taken already, none and throws. */
  add(users: readonly NewUser[]): Promise<void>;
  /** False when there was no such user. Removes the tokens and conversations too. */
  delete(id: string): Promise<boolean>;
  /** In the order they were added. */
  list(): Promise<StoredUser[]>;
  /** The id of the user a token belongs to, by its hash. On the path of every ask. */
  findByTokenHash(tokenHash: string): Promise<string | undefined>;
}

export interface StoredConversation {
  id: string;
  /** Null for the holder of the admin key. */
  user: string | null;
  /** The agent that answered last. */
  agent: string;
  /** Its turns are here; else its words are at the agent only. */
  kept: boolean;
  /** The model that answered last, where it is known. */
  model: string | undefined;
}

export interface StoredTurn {
  id: string;
  /** The turn it goes on from; undefined for the first. */
  parent: string | undefined;
  question: string;
  answer: string;
}

export interface ConversationStore {
  /** Sees what `remember` was told, written or not. */
  find(id: string): Promise<StoredConversation | undefined>;
  /**
   * The turns from the first to the one with the id `last`, or to the newest, oldest first; undefined when the
   * conversation has no such turn. Sees what `remember` was told, written or not.
   */
  branch(conversation: string, last: string | undefined): Promise<StoredTurn[] | undefined>;
  /**
   * Keeps a new conversation, or notes that a known one was used now, and keeps the turn if there is one.
   * Returns at once and writes within about 50 ms. Under a known id one with another owner is ignored, and
   * one with another agent too unless it is a kept one, whose agent and model then change.
   */
  remember(conversation: StoredConversation, turn?: StoredTurn): void;
  /** Forgets what was not used since `unusedSince` (milliseconds since 1970), turns and all; says how many. */
  purge(unusedSince: number): Promise<number>;
}
