import type { Principal } from "../principal.ts";

/**
 * What the server keeps, in its own nouns. Every promise of a change resolves only once the change
 * survives `kill -9` and a loss of power; reads see every change acknowledged before them.
 */
export interface Store {
  users: UserStore;
  agentKeys: AgentKeyStore;
  audit: AuditStore;
  usage: UsageStore;
  conversations: ConversationStore;
  /** Writes a few bytes; rejects, within some seconds, when nothing can be written. */
  check(): Promise<void>;
  /** Gives the room of what was deleted back to the disk, in steps that hold up nobody; says how many bytes. */
  compact(): Promise<number>;
  /** Writes what is still pending, then lets go of the file. */
  close(): Promise<void>;
}

/** What an administrator may say of a user. Null is no name, no end, every model, no limit. */
export interface UserAttributes {
  name: string | null;
  /** Milliseconds since 1970; from then on the tokens are refused. */
  expiresAt: number | null;
  /** Names of models, or of aliases of them. */
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  tokensPerDay: number | null;
  maxParallel: number | null;
}

export interface StoredUser extends UserAttributes {
  id: string;
  /** The newest token, encrypted; opened by `auth/seal.ts` for the administrator's list. */
  sealedToken: Uint8Array;
  createdAt: number;
  /** Since when all tokens are refused; null while they are not. */
  disabledAt: number | null;
}

/** A token as it is stored: its SHA-256 in lower-case hex, and encrypted. */
export interface StoredToken {
  tokenHash: string;
  sealedToken: Uint8Array;
}

export interface NewUser extends StoredToken, Partial<UserAttributes> {
  id: string;
}

/** A user found by a token. */
export interface TokenOwner extends UserAttributes {
  id: string;
  disabledAt: number | null;
  /** Of the token, where it was replaced and lives on for a while. */
  tokenExpiresAt: number | null;
}

export interface UserStore {
  /** Adds all or, where an id or a token is taken already, none and throws. */
  add(users: readonly NewUser[]): Promise<void>;
  /** Changes what is given; false when there is no such user. */
  change(id: string, changes: Partial<UserAttributes & Pick<StoredUser, "disabledAt">>): Promise<boolean>;
  /**
   * Gives the user a new token; the ones before live until `graceUntil`, or as long as they would have if that is
   * shorter, and are gone at once where it is past. False when there is no such user.
   */
  rotate(id: string, token: StoredToken, graceUntil: number): Promise<boolean>;
  /** False when there was no such user. Removes the tokens and conversations too. */
  delete(id: string): Promise<boolean>;
  find(id: string): Promise<StoredUser | undefined>;
  /** In the order they were added. */
  list(): Promise<StoredUser[]>;
  /** On the path of every ask: prepared, and no join. Expired and disabled ones are found too. */
  findByTokenHash(tokenHash: string): Promise<TokenOwner | undefined>;
}

export interface StoredAgentKey {
  id: string;
  name: string;
  /** What its agents may offer; null for everything. */
  models: readonly string[] | null;
  createdAt: number;
  revokedAt: number | null;
}

export interface AgentKeyStore {
  /** Throws where the name is that of a key which is not revoked. */
  add(key: { id: string; name: string; keyHash: string; models: readonly string[] | null }): Promise<void>;
  list(): Promise<StoredAgentKey[]>;
  /** False when there is no such key, or it was revoked before. */
  revoke(id: string): Promise<boolean>;
  /** Revoked ones are found too. */
  findByHash(keyHash: string): Promise<StoredAgentKey | undefined>;
}

export interface AuditEntry {
  at: number;
  /** `admin` over HTTP, `cli` for a command on the server's machine. */
  actor: string;
  /** Such as `user.add`. */
  action: string;
  /** The id of what was changed. */
  target: string | null;
  /** What is worth knowing of the change: names and figures, never a secret. */
  detail: Record<string, unknown> | null;
  address: string | null;
  requestId: string | null;
}

export interface AuditStore {
  add(entry: AuditEntry): Promise<void>;
  /** Newest first, at most `limit`, those with a `seq` below `before` if that is given. */
  list(page: { limit: number; before?: number }): Promise<(AuditEntry & { seq: number })[]>;
  purge(before: number): Promise<number>;
}

/** One ask. */
export interface UsageRow {
  at: number;
  requestId: string;
  principal: Principal;
  agent: string | null;
  model: string | null;
  surface: string;
  /** `ok`, or the code of the error: all others count as failed. */
  outcome: string;
  /** The upstream's, where it gave one. */
  status: number | null;
  tries: number;
  /** This one and the other times are rounded to whole milliseconds. */
  queueMs: number;
  firstByteMs: number | null;
  durationMs: number;
  promptTokens: number | null;
  completionTokens: number | null;
}

export const USAGE_GROUPS = ["user", "agent", "model", "day"] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageSum {
  /** By the groups that were asked for; a day as `2026-11-23`, in UTC. */
  group: Partial<Record<UsageGroup, string | null>>;
  asks: number;
  failed: number;
  promptTokens: number;
  completionTokens: number;
  /** Asks that reached an agent and have no figures from its upstream. */
  uncounted: number;
  durationMs: number;
}

export interface UsageStore {
  /** Returns at once and writes within about 50 ms, all that wait in one transaction. */
  record(row: UsageRow): void;
  /**
   * Sees what `record` was told, written or not. `from` counts, `to` does not. In the order of the days where
   * they were asked for, then those with the most asks first; groups without an ask are not there. Works in
   * slices, so that a long period holds up nobody.
   */
  sum(query: {
    from: number;
    to: number;
    by: readonly UsageGroup[];
    /** Whose asks; undefined for all. */
    principal?: Principal | undefined;
    limit: number;
  }): Promise<UsageSum[]>;
  /** The tokens that each user, by id, has used since: what daily limits go on from after a restart. */
  tokensSince(from: number): Promise<Map<string, number>>;
  purge(before: number): Promise<number>;
}

export interface StoredConversation {
  id: string;
  /** Who began it. */
  owner: Principal;
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
