import { AppError } from "../errors.ts";
import type { NewUser, StoredUser, UserAttributes, UserStore } from "../store/store.ts";
import type { Seal } from "./seal.ts";
import { hashSecret, newToken } from "./secret.ts";
import { findImportable, type ImportConflict } from "./user-import.ts";

/** Unsealing is work for the processor: after so many, others get their turn. */
const LIST_BATCH = 1_000;

export interface UserWithToken {
  user_id: string;
  token: string;
}

/** A user as administrators see it. The newest token is empty where it cannot be opened: another key sealed it. */
export interface User extends Omit<StoredUser, "sealedToken"> {
  token: string;
}

export interface ImportResult {
  imported: number;
  /** Of the rows, how many were here already, with the same token. */
  already: number;
  /** When there is one, nothing was imported. */
  conflicts: ImportConflict[];
}

export interface Users {
  /** The id is made up where none is given. */
  add(attributes?: Partial<UserAttributes>, id?: string): Promise<UserWithToken>;
  find(id: string): Promise<User | undefined>;
  /** Changes what is given; false when there is no such user. */
  change(id: string, changes: Partial<UserAttributes>): Promise<boolean>;
  /** Refuses all of the user's tokens until `enable`; false when there is no such user. */
  disable(id: string): Promise<boolean>;
  enable(id: string): Promise<boolean>;
  /** Gives a new token, in whose place the old one is valid for `graceMs` more; false when there is no such user. */
  rotate(id: string, graceMs: number): Promise<string | false>;
  /** False when there was no such user, who is gone either way. */
  delete(id: string): Promise<boolean>;
  /** In the order they were added. */
  list(): Promise<User[]>;
  /** Takes over users with the ids and tokens they have elsewhere: all or none of them. */
  importAll(rows: readonly UserWithToken[]): Promise<ImportResult>;
}

export interface UserChange {
  user: string;
  /** What the user has open is to end, as the key it was asked with is no longer valid. */
  revoked: boolean;
}

interface UsersOptions {
  users: UserStore;
  seal: Seal;
  /** Called when a user was changed or deleted, so that no cache goes on with what was before. */
  onChange?: (change: UserChange) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A failure of the store is an `AppError`, with the reference's text where it has one, its cause for the log. */
export function createUsers({ users, seal, onChange = () => {}, now = Date.now }: UsersOptions): Users {
  const seen = ({ sealedToken, ...user }: StoredUser): User => ({
    ...user,
    token: seal.open(sealedToken, user.id) ?? "",
  });
  const stored = (id: string, token: string) => ({
    tokenHash: hashSecret(token),
    sealedToken: seal.seal(token, id),
  });
  const toNew = ({ user_id, token }: UserWithToken): NewUser => ({ id: user_id, ...stored(user_id, token) });

  async function change(id: string, changes: Parameters<UserStore["change"]>[1]): Promise<boolean> {
    const known = await attempt("user_change_failed", () => users.change(id, changes));
    const { disabledAt = null, expiresAt = null } = changes;
    const revoked = disabledAt !== null || (expiresAt !== null && expiresAt <= now());
    if (known) onChange({ user: id, revoked });
    return known;
  }

  return {
    async add(attributes = {}, user_id = crypto.randomUUID()) {
      const user = { user_id, token: newToken() };
      await attempt("user_insert_failed", () => users.add([{ ...toNew(user), ...attributes }]));
      return user;
    },

    async find(id) {
      const found = await attempt("user_list_failed", () => users.find(id));
      return found && seen(found);
    },

    change,
    disable: (id) => change(id, { disabledAt: now() }),
    enable: (id) => change(id, { disabledAt: null }),

    async rotate(id, graceMs) {
      const token = newToken();
      const until = now() + graceMs;
      const known = await attempt("user_change_failed", () => users.rotate(id, stored(id, token), until));
      if (!known) return false;
      onChange({ user: id, revoked: graceMs <= 0 });
      return token;
    },

    async delete(id) {
      const known = await attempt("user_delete_failed", () => users.delete(id));
      onChange({ user: id, revoked: true });
      return known;
    },

    async list() {
      const listed: User[] = [];
      for (const user of await attempt("user_list_failed", () => users.list())) {
        listed.push(seen(user));
        if (listed.length % LIST_BATCH === 0) await new Promise(setImmediate);
      }
      return listed;
    },

    async importAll(rows) {
      const { fresh, conflicts } = await attempt("user_list_failed", () => findImportable(rows, users));
      if (conflicts.length > 0) return { imported: 0, already: 0, conflicts };
      if (fresh.length > 0) await attempt("user_insert_failed", () => users.add(fresh.map(toNew)));
      return { imported: fresh.length, already: rows.length - fresh.length, conflicts };
    },
  };
}

type UserError = "user_insert_failed" | "user_change_failed" | "user_delete_failed" | "user_list_failed";

async function attempt<T>(code: UserError, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new AppError(code, { cause });
  }
}
