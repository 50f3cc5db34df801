import { orFail } from "../errors.ts";
import type { NewUser, StoredUser, UserStore } from "../store/store.ts";
import { fieldsOf, type UserAttributes } from "../user-attributes.ts";
import type { Seal } from "./seal.ts";
import { hashSecret, newToken } from "./secret.ts";

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

/** A user without their token. */
export type KnownUser = Omit<User, "token">;

interface ImportConflict {
  user_id: string;
  /** Why the user cannot be imported, as the rest of a sentence that begins with the user's id. */
  reason: string;
}

export interface ImportResult {
  imported: number;
  /** The number of rows that already exist here with the same token. */
  already: number;
  /** If there are any, nothing was imported. */
  conflicts: ImportConflict[];
}

export interface UserChange {
  user: string;
  /** Whether a token of the user became invalid, so that their open asks must end. */
  revoked: boolean;
}

interface UsersOptions {
  users: UserStore;
  seal: Seal;
  /** Called when a user was changed or deleted, so that caches can be cleared. */
  onChange?: (change: UserChange) => void;
  now?: () => number;
}

export type Users = ReturnType<typeof createUsers>;

/** The methods throw an `AppError` when the store fails, with the reference's text and the cause. */
export function createUsers({ users, seal, onChange = () => {}, now = Date.now }: UsersOptions) {
  const unsealed = ({ sealedToken, ...user }: StoredUser): User => ({
    ...user,
    token: seal.open(sealedToken, user.id) ?? "",
  });
  const sealed = (id: string, token: string) => ({
    tokenHash: hashSecret(token),
    sealedToken: seal.seal(token, id),
  });
  const toNew = ({ user_id, token }: UserWithToken): NewUser => ({ id: user_id, ...sealed(user_id, token) });

  /** Changes the given attributes. False when the user does not exist. */
  async function change(id: string, changes: Parameters<UserStore["change"]>[1]): Promise<boolean> {
    const known = await orFail("user_change_failed", () => users.change(id, changes));
    const { disabledAt = null, expiresAt = null } = changes;
    const revoked = disabledAt !== null || (expiresAt !== null && expiresAt <= now());
    if (known) onChange({ user: id, revoked });
    return known;
  }

  return {
    /** Adds a user, with a random id if none is given. */
    async add(
      attributes: Partial<UserAttributes> = {},
      user_id: string = crypto.randomUUID(),
    ): Promise<UserWithToken> {
      const user = { user_id, token: newToken() };
      await orFail("user_insert_failed", () => users.add([{ ...toNew(user), ...attributes }]));
      return user;
    },

    async find(id: string): Promise<User | undefined> {
      const found = await orFail("user_list_failed", () => users.find(id));
      return found && unsealed(found);
    },

    change,
    /** Refuses all of the user's tokens until `enable`. False when the user does not exist. */
    disable: (id: string) => change(id, { disabledAt: now() }),
    enable: (id: string) => change(id, { disabledAt: null }),

    /** Returns a new token; the old one stays valid for `graceMs`. False when the user does not exist. */
    async rotate(id: string, graceMs: number): Promise<string | false> {
      const token = newToken();
      const until = now() + graceMs;
      const known = await orFail("user_change_failed", () => users.rotate(id, sealed(id, token), until));
      if (!known) return false;
      onChange({ user: id, revoked: graceMs <= 0 });
      return token;
    },

    /** Deletes the user. False when the user does not exist. */
    async delete(id: string): Promise<boolean> {
      const known = await orFail("user_delete_failed", () => users.delete(id));
      onChange({ user: id, revoked: true });
      return known;
    },

    /** Returns the users in the order they were added. */
    async list(): Promise<User[]> {
      const listed: User[] = [];
      for (const user of await orFail("user_list_failed", () => users.list())) {
        listed.push(unsealed(user));
        if (listed.length % LIST_BATCH === 0) await new Promise(setImmediate);
      }
      return listed;
    },

    /** Returns the same without the tokens, which then stay sealed. */
    async listWithoutTokens(): Promise<KnownUser[]> {
      const listed = await orFail("user_list_failed", () => users.list());
      return listed.map(({ sealedToken: _, ...user }) => user);
    },

    /** Imports users with the ids and tokens they have on another server: all or none of them. */
    async importAll(rows: readonly UserWithToken[]): Promise<ImportResult> {
      const { fresh, conflicts } = await orFail("user_list_failed", () => findImportable(rows, users));
      if (conflicts.length > 0) return { imported: 0, already: 0, conflicts };
      if (fresh.length > 0) await orFail("user_insert_failed", () => users.add(fresh.map(toNew)));
      return { imported: fresh.length, already: rows.length - fresh.length, conflicts };
    },
  };
}

/** Returns everything about a user but the token, as it is written in JSON. */
export function describeUser(user: KnownUser & { token?: string }) {
  const { id, createdAt, disabledAt, token: _, ...attributes } = user;
  return {
    user_id: id,
    created_at: new Date(createdAt).toISOString(),
    disabled_at: disabledAt === null ? null : new Date(disabledAt).toISOString(),
    ...fieldsOf(attributes),
  };
}

/** Returns a user's name for the audit, as nothing else tells it once the user is deleted. */
export const nameDetail = ({ name }: Pick<KnownUser, "name">) => (name === null ? null : { name });

/** Returns the rows that are new, and the ones that cannot be imported. */
async function findImportable(rows: readonly UserWithToken[], users: UserStore) {
  const ids = new Set((await users.list()).map(({ id }) => id));
  const seen = { ids: new Set<string>(), tokens: new Set<string>() };
  const fresh: UserWithToken[] = [];
  const conflicts: ImportConflict[] = [];
  for (const row of rows) {
    const owner = (await users.findByTokenHash(hashSecret(row.token)))?.id;
    const reason = findConflict(row, owner, ids, seen);
    seen.ids.add(row.user_id);
    seen.tokens.add(row.token);
    if (reason !== undefined) conflicts.push({ user_id: row.user_id, reason });
    else if (owner === undefined) fresh.push(row);
  }
  return { fresh, conflicts };
}

/** `owner` is the id of the user here who has the token, `known` are the ids of all users here. */
function findConflict(
  { user_id, token }: UserWithToken,
  owner: string | undefined,
  known: ReadonlySet<string>,
  seen: { ids: ReadonlySet<string>; tokens: ReadonlySet<string> },
): string | undefined {
  if (user_id === "") return "has no id";
  if (token === "") return "has no token";
  if (seen.ids.has(user_id)) return "is listed twice";
  if (seen.tokens.has(token)) return "has the same token as another imported user";
  if (owner !== undefined && owner !== user_id) return "has a token that belongs to another user here";
  if (owner === undefined && known.has(user_id)) return "already exists here with another token";
  return undefined;
}
