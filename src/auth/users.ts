import { AppError } from "../errors.ts";
import type { NewUser, UserStore } from "../store/store.ts";
import type { Seal } from "./seal.ts";
import { hashToken, newToken } from "./tokens.ts";

/** Unsealing is work for the processor: after so many, others get their turn. */
const LIST_BATCH = 1_000;

export interface UserWithToken {
  user_id: string;
  token: string;
}

export interface ImportResult {
  imported: number;
  /** Of the rows, how many were here already, with the same token. */
  already: number;
  /** When there is one, nothing was imported. */
  conflicts: { user_id: string; reason: string }[];
}

export interface Users {
  add(): Promise<UserWithToken>;
  /** An unknown id is no error: the user is gone either way. */
  delete(id: string): Promise<void>;
  /** In the order they were added. The token is empty where it cannot be opened: another key sealed it. */
  list(): Promise<UserWithToken[]>;
  /** Takes over users with the ids and tokens they have elsewhere: all or none of them. */
  importAll(rows: readonly UserWithToken[]): Promise<ImportResult>;
}

interface UsersOptions {
  users: UserStore;
  seal: Seal;
  /** Called when a user was deleted, so that no cache lets them in any longer. */
  onChange?: () => void;
}

/** A failure of the store is an `AppError` with the reference's text, its cause for the log. */
export function createUsers({ users, seal, onChange }: UsersOptions): Users {
  const toStored = ({ user_id, token }: UserWithToken): NewUser => ({
    id: user_id,
    tokenHash: hashToken(token),
    sealedToken: seal.seal(token, user_id),
  });

  return {
    async add() {
      const user = { user_id: crypto.randomUUID(), token: newToken() };
      await attempt("user_insert_failed", () => users.add([toStored(user)]));
      return user;
    },

    async delete(id) {
      await attempt("user_delete_failed", () => users.delete(id));
      onChange?.();
    },

    async list() {
      const listed: UserWithToken[] = [];
      for (const { id, sealedToken } of await attempt("user_list_failed", () => users.list())) {
        listed.push({ user_id: id, token: seal.open(sealedToken, id) ?? "" });
        if (listed.length % LIST_BATCH === 0) await new Promise(setImmediate);
      }
      return listed;
    },

    async importAll(rows) {
      const { fresh, conflicts } = await attempt("user_list_failed", () => compare(rows, users));
      if (conflicts.length > 0) return { imported: 0, already: 0, conflicts };
      if (fresh.length > 0) await attempt("user_insert_failed", () => users.add(fresh.map(toStored)));
      return { imported: fresh.length, already: rows.length - fresh.length, conflicts };
    },
  };
}

async function compare(rows: readonly UserWithToken[], users: UserStore) {
  const ids = new Set((await users.list()).map(({ id }) => id));
  const seen = { ids: new Set<string>(), tokens: new Set<string>() };
  const fresh: UserWithToken[] = [];
  const conflicts: ImportResult["conflicts"] = [];
  for (const row of rows) {
    const owner = await users.findByTokenHash(hashToken(row.token));
    const reason = findConflict(row, { owner, known: ids.has(row.user_id), seen });
    seen.ids.add(row.user_id);
    seen.tokens.add(row.token);
    if (reason !== undefined) conflicts.push({ user_id: row.user_id, reason });
    else if (owner === undefined) fresh.push(row);
  }
  return { fresh, conflicts };
}

interface Known {
  /** The user who has the token here. */
  owner: string | undefined;
  /** Whether a user has the id here. */
  known: boolean;
  seen: { ids: ReadonlySet<string>; tokens: ReadonlySet<string> };
}

function findConflict({ user_id, token }: UserWithToken, { owner, known, seen }: Known): string | undefined {
  if (user_id === "") return "has no id";
  if (token === "") return "has no token";
  if (seen.ids.has(user_id)) return "is there twice";
  if (seen.tokens.has(token)) return "has a token that another one of them has";
  if (owner !== undefined && owner !== user_id) return "has a token that belongs to another user here";
  if (owner === undefined && known) return "is here already with another token";
  return undefined;
}

type UserError = "user_insert_failed" | "user_delete_failed" | "user_list_failed";

async function attempt<T>(code: UserError, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new AppError(code, { cause });
  }
}
