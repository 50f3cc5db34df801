import { existingDatabaseIn } from "../data-folder.ts";
import { AppError, CommandError } from "../errors.ts";
import { openStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";

/**
 * Runs `work` on the store in the data folder, then closes it. A server may run on the same data. Throws a
 * `CommandError` if there is no database: a new one, in a mistyped folder, would be of no use to anybody.
 */
export async function withStore(data: string, work: (store: Store) => Promise<void>): Promise<void> {
  await using store = openStore({ path: existingDatabaseIn(data) });
  try {
    await work(store);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, hint, cause } = error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    throw new CommandError(hint === undefined ? reason : `${reason}. ${hint}`, { cause: error });
  }
}
