import { openStore as openFile, type StoreOptions } from "./sqlite/open.ts";
import type { Store } from "./store.ts";

interface OpenOptions extends Omit<StoreOptions, "now" | "after"> {
  /** The address of a PostgreSQL database; undefined for the file at `path`. */
  database: string | undefined;
  /** Whether other servers use the database. Default: false. */
  isShared?: boolean;
}

/**
 * Opens the store that the settings name. Resolves also with whether a PostgreSQL database was empty. Throws a
 * `CommandError` when it cannot be used.
 */
export async function openStore(options: OpenOptions): Promise<{ store: Store; isNew: boolean }> {
  const { database: url, path, isShared, ...others } = options;
  if (url === undefined) return { store: openFile({ ...others, path }), isNew: false };
  // Loaded only now: most servers use the file, and should start as fast as without PostgreSQL.
  const { openPostgres } = await import("./postgres/open.ts");
  return openPostgres({ ...others, isShared, url });
}
