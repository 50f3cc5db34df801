/** A signed-in browser. */
export interface StoredSession {
  /** The SHA-256 of its cookie in lower-case hex. */
  hash: string;
  /** Null for the admin. */
  userId: string | null;
  /** The hash of the user's token, or a fingerprint of the admin key: the session ends with that key. */
  keyHash: string;
  /** Whether the session was begun over TLS. */
  isSecure: boolean;
  expiresAt: number;
  /** The client address at the sign-in, as far as that is known. Others wrote the text. */
  address: string | null;
  /** The `User-Agent` of the browser. Others wrote the text. */
  userAgent: string | null;
}

/** A session with the time at which it was begun. */
export interface ListedSession extends StoredSession {
  createdAt: number;
}

/** A user, null for the admin, or everyone. */
export type SessionOwnerId = string | null | "everyone";

export interface SessionStore {
  /**
   * Adds a session, and deletes those that have expired. At a limit the oldest ones give way, of this owner or of all:
   * resolves with their hashes. Throws when the user does not exist.
   */
  add(session: StoredSession, limits: { ownerMax: number; allMax: number }): Promise<string[]>;
  /** Finds a session, also an expired one. It ends with its user, but not with its token. */
  find(hash: string): Promise<StoredSession | undefined>;
  /** Lists all sessions, or those of an owner, newest first, also those that have expired. */
  list(owner: SessionOwnerId): Promise<ListedSession[]>;
  /** Resolves with those of the hashes that have a session, also an expired one. */
  known(hashes: readonly string[]): Promise<Set<string>>;
  /** False when there is no such session. */
  end(hash: string): Promise<boolean>;
  /** Adds the hash of a code that signs the admin in once. */
  addCode(hash: string, expiresAt: number): Promise<void>;
  /** Deletes a code. False when it does not exist or has expired: of several calls, one gets true. */
  useCode(hash: string): Promise<boolean>;
  /** Deletes all codes. */
  clearCodes(): Promise<void>;
}
