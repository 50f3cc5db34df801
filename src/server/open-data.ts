import { existsSync } from "node:fs";
import { removeUnfinished } from "../backup/swap.ts";
import type { Config } from "../config/settings.ts";
import { databaseIn, uploadFolderIn } from "../data-folder.ts";
import { causeOf, type Log } from "../log/log.ts";
import { deleteLeftSpools } from "../spool.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { isFirstStart, noteStarted } from "./first-start.ts";
import { closeFolder } from "./start-checks.ts";

export interface OpenData {
  store: Store;
  /** No server has started on the data yet. */
  isFirst: boolean;
  /** Must be called once the server has started. */
  noteStarted(): void;
}

/** Opens the data folder, or the PostgreSQL database. Throws a `CommandError` when it cannot be used. */
export async function openData(config: Config, log: Log): Promise<OpenData> {
  const { data, database, clusterKey, conversationQuotaBytes } = config;
  const isLocal = database === undefined;
  if (isLocal) removeUnfinished(data);
  const isFirst = isLocal && isFirstStart(data);
  const { store, isNew } = await openStore({
    ...{ path: databaseIn(data), database, conversationQuotaBytes },
    isServer: true,
    // One server needs no such key.
    isShared: clusterKey !== undefined,
    checkpointsOnThread: true,
    onError: (error) => log.error("store_write_failed", { cause: causeOf(error) }),
  });
  try {
    // Without a database in it, the folder has at most the keys.
    if (existsSync(data)) closeFolder(data, log);
    // The folder is locked, so no other process uses them.
    if (isLocal) await deleteLeftSpools(uploadFolderIn(data));
  } catch (error) {
    await store.close();
    throw error;
  }
  return { store, isFirst: isFirst || isNew, noteStarted: () => isLocal && noteStarted(data) };
}

/** Returns how long known users count while the store is away. When a file cannot be read, its disk is broken. */
export function storeGraceOf({ database, storeGraceMs }: Config): number {
  return database === undefined ? 0 : storeGraceMs;
}
