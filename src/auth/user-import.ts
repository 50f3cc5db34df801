import type { UserStore } from "../store/store.ts";
import { hashSecret } from "./secret.ts";

interface ImportRow {
  user_id: string;
  token: string;
}

export interface ImportConflict {
  user_id: string;
  /** What stands in the way, to follow the user's id in a sentence. */
  reason: string;
}

/** Which of the rows are not here yet, and which cannot be taken over. */
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

function findConflict({ user_id, token }: ImportRow, { owner, known, seen }: Known): string | undefined {
  if (user_id === "") return "has no id";
  if (token === "") return "has no token";
  if (seen.ids.has(user_id)) return "is there twice";
  if (seen.tokens.has(token)) return "has a token that another one of them has";
  if (owner !== undefined && owner !== user_id) return "has a token that belongs to another user here";
  if (owner === undefined && known) return "is here already with another token";
  return undefined;
}
