import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type StoreOptions } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";

/** A store in memory with all migrations, closed after the test. */
export function openTestStore(options: Omit<StoreOptions, "path"> = {}): Store {
  return openTestFile(":memory:", options);
}

/** The same in a file. */
export function openTestFile(path: string, options: Omit<StoreOptions, "path"> = {}): Store {
  const onError = (error: Error) => {
    throw error;
  };
  const store = openStore({ onError, ...options, path });
  onTestFinished(() => store.close());
  return store;
}

/** An empty folder, removed with all in it after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What `run` throws; fails the test when it throws nothing. */
export async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
