import type { Config } from "../config/settings.ts";
import { existingDatabaseIn } from "../data-folder.ts";
import { AppError, CommandError } from "../errors.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";

/**
 * Runs `work` on the store that the settings name, then closes it. Servers may run on the same data. Throws a
 * `CommandError` if there is no database in the data folder: a new one, in a mistyped folder, would be of no use
 * to anybody.
 */
export async function withStore(
  settings: Pick<Config, "data" | "database">,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const { data, database } = settings;
  const path = database === undefined ? existingDatabaseIn(data) : "";
  const opened = await openStore({ path, database });
  await using store = opened.store;
  try {
    await work(store);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, hint, cause } = error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    throw new CommandError(hint === undefined ? reason : `${reason}. ${hint}`, { cause: error });
  }
}
