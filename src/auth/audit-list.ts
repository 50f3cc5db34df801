import type { AuditActor } from "../audit-actions.ts";
import { searchable } from "../search-text.ts";
import type { AuditStore } from "../store/store.ts";

export type ListedEntry = Awaited<ReturnType<AuditStore["list"]>>[number];

/** Which entries are looked for; all of them if a field is undefined. */
export interface AuditFilter {
  actor?: AuditActor | undefined;
  /** An action, or the part before its dot: `user` for all changes of users. */
  action?: string | undefined;
  /** Words that an entry must all contain, in its action, target, details, address or request id. */
  search?: string | undefined;
}

export interface AuditPage {
  entries: ListedEntry[];
  /** The `before` of the next page. Null if there is none. */
  next: number | null;
}

/** The number of entries that a page looks through, as a database does not look them up by the words in them. */
export const LOOKED_MAX = 5_000;
const READ_AT_ONCE = 250;

/**
 * Returns at most `limit` entries that match, newest first, of those before `before`. Looks through `LOOKED_MAX`
 * entries, so that a page may be shorter, or empty, though there is a next one.
 */
export async function listAudit(
  store: Pick<AuditStore, "list">,
  { limit, before, ...filter }: { limit: number; before?: number | undefined } & AuditFilter,
): Promise<AuditPage> {
  const matches = matcherOf(filter);
  const readMax = matches ? READ_AT_ONCE : limit;
  const entries: ListedEntry[] = [];
  let next = before;
  for (let looked = 0; looked < LOOKED_MAX; looked += readMax) {
    const read = await store.list({ limit: readMax, ...(next !== undefined && { before: next }) });
    const found = (matches ? read.filter(matches) : read).slice(0, limit - entries.length);
    entries.push(...found);
    if (entries.length === limit) return { entries, next: entries.at(-1)?.seq ?? null };
    if (read.length < readMax) return { entries, next: null };
    next = read.at(-1)?.seq;
  }
  return { entries, next: next ?? null };
}

/** Returns undefined if every entry matches. */
function matcherOf({ actor, action, search = "" }: AuditFilter) {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  if (actor === undefined && action === undefined && words.length === 0) return undefined;
  return (entry: ListedEntry): boolean =>
    (actor === undefined || entry.actor === actor) &&
    (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
    (words.length === 0 || hasWords(entry, words));
}

function hasWords({ action, target, detail, address, requestId }: ListedEntry, words: readonly string[]) {
  const text = searchable([action, target, JSON.stringify(detail), address, requestId].join("\n"));
  return words.every((word) => text.includes(word));
}
