import { AppError } from "../errors.ts";
import type { NewUser, StoredUser, UserAttributes, UserStore } from "../store/store.ts";
import type { Seal } from "./seal.ts";
import { hashSecret, newToken } from "./secret.ts";
import { findImportable, type ImportConflict } from "./user-import.ts";

/** Unsealing takes CPU time, so the event loop gets a turn after this many users. */
const LIST_BATCH = 1_000;

export interface UserWithToken {
  user_id: string;
  token: string;
}

/** A user with their newest token, which is empty if another key sealed it. */
export interface User extends Omit<StoredUser, "sealedToken"> {
  token: string;
}

export interface ImportResult {
  imported: number;
  /** The number of rows that already exist here with the same token. */
  already: number;
  /** If there are any, nothing was imported. */
  conflicts: ImportConflict[];
}

export interface Users {
  /** Adds a user, with a random id if none is given. */
  add(attributes?: Partial<UserAttributes>, id?: string): Promise<UserWithToken>;
  find(id: string): Promise<User | undefined>;
  /** Changes the given attributes. False when the user does not exist. */
  change(id: string, changes: Partial<UserAttributes>): Promise<boolean>;
  /** Refuses all of the user's tokens until `enable`. False when the user does not exist. */
  disable(id: string): Promise<boolean>;
  enable(id: string): Promise<boolean>;
  /** Returns a new token; the old one stays valid for `graceMs`. False when the user does not exist. */
  rotate(id: string, graceMs: number): Promise<string | false>;
  /** Deletes the user. False when the user does not exist. */
  delete(id: string): Promise<boolean>;
  /** Returns the users in the order they were added. */
  list(): Promise<User[]>;
  /** Imports users with the ids and tokens they have on another server: all or none of them. */
  importAll(rows: readonly UserWithToken[]): Promise<ImportResult>;
}

export interface UserChange {
  user: string;
  /** Whether a key of the user became invalid, so that what they have open must end. */
  revoked: boolean;
}

interface UsersOptions {
  users: UserStore;
  seal: Seal;
  /** Called when a user was changed or deleted, so that caches can be cleared. */
  onChange?: (change: UserChange) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Its methods throw an `AppError` when the store fails, with the reference's text and the cause. */
export function createUsers({ users, seal, onChange = () => {}, now = Date.now }: UsersOptions): Users {
  const unsealed = ({ sealedToken, ...user }: StoredUser): User => ({
    ...user,
    token: seal.open(sealedToken, user.id) ?? "",
  });
  const sealed = (id: string, token: string) => ({
    tokenHash: hashSecret(token),
    sealedToken: seal.seal(token, id),
  });
  const toNew = ({ user_id, token }: UserWithToken): NewUser => ({ id: user_id, ...sealed(user_id, token) });

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
      return found && unsealed(found);
    },

    change,
    disable: (id) => change(id, { disabledAt: now() }),
    enable: (id) => change(id, { disabledAt: null }),

    async rotate(id, graceMs) {
      const token = newToken();
      const until = now() + graceMs;
      const known = await attempt("user_change_failed", () => users.rotate(id, sealed(id, token), until));
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
        listed.push(unsealed(user));
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
