import type { UserStore } from "../store/store.ts";
import { hashSecret } from "./secret.ts";

interface ImportRow {
  user_id: string;
  token: string;
}

export interface ImportConflict {
  user_id: string;
  /** Why the user cannot be imported, as the rest of a sentence that begins with the user's id. */
  reason: string;
}

/** Returns the rows that are new, and the ones that cannot be imported. */
export async function findImportable(
  rows: readonly ImportRow[],
  users: UserStore,
): Promise<{ fresh: ImportRow[]; conflicts: ImportConflict[] }> {
  const ids = new Set((await users.list()).map(({ id }) => id));
  const seen = { ids: new Set<string>(), tokens: new Set<string>() };
  const fresh: ImportRow[] = [];
  const conflicts: ImportConflict[] = [];
  for (const row of rows) {
    const owner = (await users.findByTokenHash(hashSecret(row.token)))?.id;
    const reason = findConflict(row, { owner, isKnown: ids.has(row.user_id), seen });
    seen.ids.add(row.user_id);
    seen.tokens.add(row.token);
    if (reason !== undefined) conflicts.push({ user_id: row.user_id, reason });
    else if (owner === undefined) fresh.push(row);
  }
  return { fresh, conflicts };
}

interface Existing {
  /** The id of the user here who has the token. */
  owner: string | undefined;
  /** Whether a user here has the id. */
  isKnown: boolean;
  seen: { ids: ReadonlySet<string>; tokens: ReadonlySet<string> };
}

function findConflict({ user_id, token }: ImportRow, { owner, isKnown, seen }: Existing): string | undefined {
  if (user_id === "") return "has no id";
  if (token === "") return "has no token";
  if (seen.ids.has(user_id)) return "is listed twice";
  if (seen.tokens.has(token)) return "has the same token as another imported user";
  if (owner !== undefined && owner !== user_id) return "has a token that belongs to another user here";
  if (owner === undefined && isKnown) return "already exists here with another token";
  return undefined;
}
