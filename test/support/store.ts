import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type StoreOptions } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";

/** Opens a store in memory with all migrations; it is closed after the test. */
export function openTestStore(options: Omit<StoreOptions, "path"> = {}): Store {
  return openTestFile(":memory:", options);
}

/** Opens a store in a file; it is closed after the test. */
export function openTestFile(path: string, options: Omit<StoreOptions, "path"> = {}): Store {
  const onError = (error: Error) => {
    throw error;
  };
  const store = openStore({ onError, ...options, path });
  onTestFinished(() => store.close());
  return store;
}

/** Makes a data folder with an empty database, as a server's first start does. It is removed after the test. */
export function newDataFolder(): string {
  const data = join(tempFolder(), "data");
  void openStore({ path: join(data, "server.db") }).close();
  return data;
}

/** Makes an empty folder, which is removed with its content after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves with what `run` throws. Fails the test if it throws nothing. */
export async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
