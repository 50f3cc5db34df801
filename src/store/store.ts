import type { AuditActor } from "../audit-actions.ts";
import type { Conversations } from "../relay/conversation.ts";
import type { UserAttributes } from "../user-attributes.ts";
import type { TrafficStore } from "./records.ts";
import type { RefusalStore } from "./refusal-store.ts";
import type { ResponseObjectStore } from "./response-objects.ts";
import type { SessionStore } from "./session-store.ts";
import type { SettingStore } from "./setting-store.ts";
import type { UsageStore } from "./usage-store.ts";

export {
  type RequestPage,
  type RequestPlace,
  type RequestQuery,
  type StoredRequest,
  TRAFFIC_KINDS,
  type TrafficKind,
  type TrafficStep,
  type TrafficStore,
} from "./records.ts";
export type { RefusalReason, RefusalStore, RefusalSum } from "./refusal-store.ts";
export type { NewObject, ObjectContent, ResponseObjectStore, StoredObject } from "./response-objects.ts";
export type { ListedSession, SessionOwnerId, SessionStore, StoredSession } from "./session-store.ts";
export type { SettingChange, SettingStore, StoredSetting } from "./setting-store.ts";

export { USAGE_GROUPS, type UsageGroup } from "./usage-groups.ts";
export type {
  NamedGroup,
  Spent,
  UsagePeriod,
  UsageRow,
  UsageStore,
  UsageSum,
  UsageSumQuery,
  UserUse,
} from "./usage-store.ts";

/**
 * The data that the server keeps. The promise of a change resolves only once the change survives `kill -9`
 * and a loss of power, unless its comment says otherwise. Reads see every change that was acknowledged before
 * them.
 */
export interface Store extends AsyncDisposable {
  users: UserStore;
  agentKeys: AgentKeyStore;
  pairings: PairingStore;
  sessions: SessionStore;
  audit: AuditStore;
  settings: SettingStore;
  usage: UsageStore;
  traffic: TrafficStore;
  refusals: RefusalStore;
  conversations: ConversationStore;
  responses: ResponseObjectStore;
  /** Rejects within some seconds when nothing can be written. */
  check(): Promise<void>;
  /** Resolves with the time of the database's clock, in milliseconds since 1970. Missing where that is this process's. */
  clock?(): Promise<number>;
  /** Returns the space of deleted rows to the disk in small steps. Resolves with the number of bytes. */
  compact(): Promise<number>;
  /** Writes what is still pending, then releases the file or the connections. */
  close(): Promise<void>;
}

export interface StoredUser extends UserAttributes {
  id: string;
  /** The newest token, encrypted. `auth/seal.ts` opens it for the administrator's list. */
  sealedToken: Uint8Array;
  createdAt: number;
  /** The time from which on all tokens are refused; null while they are valid. */
  disabledAt: number | null;
}

/** A token as it is stored: its SHA-256 in lower-case hex, and the token encrypted. */
export interface StoredToken {
  tokenHash: string;
  sealedToken: Uint8Array;
}

export interface NewUser extends StoredToken, Partial<UserAttributes> {
  id: string;
}

/** A user found by a token. */
export interface TokenOwner extends Omit<StoredUser, "sealedToken" | "createdAt"> {
  /** When the token expires, if a newer one has replaced it; else null. */
  tokenExpiresAt: number | null;
}

export interface UserStore {
  /** Adds all the users. Throws and adds none when an id or a token is already taken. */
  add(users: readonly NewUser[]): Promise<void>;
  /** Changes the given attributes. False when the user does not exist. */
  change(id: string, changes: Partial<UserAttributes & Pick<StoredUser, "disabledAt">>): Promise<boolean>;
  /**
   * Gives the user a new token. Older tokens stay valid until `graceUntil`, or until their own expiry if that
   * is sooner; they are deleted at once when `graceUntil` is past. False when the user does not exist.
   */
  rotate(id: string, token: StoredToken, graceUntil: number): Promise<boolean>;
  /**
   * Deletes the user with their tokens, conversations and responses. Agent keys that they own lose their owner. False when
   * the user does not exist.
   */
  delete(id: string): Promise<boolean>;
  find(id: string): Promise<StoredUser | undefined>;
  /** Lists the users in the order in which they were added. */
  list(): Promise<StoredUser[]>;
  /** Runs for every ask, so it must be prepared and join-free. Also finds expired and disabled users. */
  findByTokenHash(tokenHash: string): Promise<TokenOwner | undefined>;
}

export interface StoredAgentKey {
  id: string;
  name: string;
  /** The models that agents with this key may offer; null for all. */
  models: readonly string[] | null;
  createdAt: number;
  revokedAt: number | null;
  /** How agents with this key are chosen. Null leaves it to the agent. */
  priority: number | null;
  weight: number | null;
  /** The tags that agents with this key may have; null for none. */
  tags: readonly string[] | null;
  /** The id of the user whose asks come first on agents with this key. */
  ownerId: string | null;
  /** Whether callers see the name of the agent that answers. */
  showsName: boolean;
}

/** The changes that can be made to an agent key. */
export type AgentKeyChanges = Partial<
  Pick<StoredAgentKey, "priority" | "weight" | "tags" | "ownerId" | "showsName">
>;

export interface NewAgentKey extends Pick<StoredAgentKey, "id" | "name" | "models">, AgentKeyChanges {
  keyHash: string;
}

export interface AgentKeyStore {
  /** Throws when a key that is not revoked has the name, or when the owner does not exist. */
  add(key: NewAgentKey): Promise<void>;
  /**
   * Changes what is given. False when the key does not exist or was revoked. Throws when the owner does not
   * exist.
   */
  change(id: string, changes: AgentKeyChanges): Promise<boolean>;
  list(): Promise<StoredAgentKey[]>;
  /** False when the key does not exist or was already revoked. */
  revoke(id: string): Promise<boolean>;
  /** Finds a key, also a revoked one. */
  findByHash(keyHash: string): Promise<StoredAgentKey | undefined>;
}

/** The fields that a key gets from a pairing, besides its id and name. */
export type PairingFields = Pick<
  StoredAgentKey,
  "models" | "priority" | "weight" | "tags" | "ownerId" | "showsName"
>;

/** A code that gives an agent a key once. The code itself is not stored. */
export interface StoredPairing {
  /** Becomes the id of the key. */
  id: string;
  /** The name for the key; null if the agent may choose one. */
  name: string | null;
  given: PairingFields;
  expiresAt: number;
}

export interface PairingStore {
  /** Adds a pairing, and deletes those that have expired. False, and nothing is added, if there are `max` already. */
  add(pairing: StoredPairing & { hash: string }, max: number): Promise<boolean>;
  /** Finds a pairing that has not expired by the SHA-256 of its code in lower-case hex. */
  find(hash: string): Promise<StoredPairing | undefined>;
  /** Lists those that have not expired, in the order in which they were added. */
  list(): Promise<StoredPairing[]>;
  /** Deletes a pairing. False when it does not exist, was redeemed or has expired. */
  cancel(id: string): Promise<boolean>;
  /**
   * Deletes a pairing and adds the key, or does neither. False when it does not exist or has expired: of several
   * calls, one gets true. Throws as `AgentKeyStore.add` does.
   */
  redeem(hash: string, key: NewAgentKey): Promise<boolean>;
}

export interface AuditEntry {
  at: number;
  /** `admin` over HTTP, `cli` for a command on the server's machine, `agent` for an agent with a pairing code, `user` for users and their own token. */
  actor: AuditActor;
  /** Such as `user.add`. */
  action: string;
  /** The id of what was changed. */
  target: string | null;
  /** Names and numbers that describe the change, never a secret. */
  detail: Record<string, unknown> | null;
  address: string | null;
  requestId: string | null;
}

export interface AuditStore {
  add(entry: AuditEntry): Promise<void>;
  /** Returns at most `limit` entries, newest first; with `before`, only those whose `seq` is lower. */
  list(page: { limit: number; before?: number }): Promise<(AuditEntry & { seq: number })[]>;
  /** Deletes the entries before this time. Resolves with their number. */
  purge(before: number): Promise<number>;
}

/** Writes behind, within about a second. Reads see what is remembered but not written yet. */
export interface ConversationStore extends Conversations {
  /** Deletes the conversations not used since this time, with their turns. Resolves with their number. */
  purge(unusedSince: number): Promise<number>;
}
