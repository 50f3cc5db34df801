import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../../src/errors.ts";
import { lockExclusive, lockShared } from "../../../src/store/sqlite/lock.ts";
import { failureOf, openTestFile, tempFolder } from "../../support/store.ts";

const SOURCE = join(import.meta.dir, "../../../src/store/sqlite/lock.ts");

/** Whether another process could take the lock exclusively now. */
function isFree(path: string): boolean {
  const code = `const { lockExclusive } = await import(${JSON.stringify(SOURCE)});
    try { lockExclusive(${JSON.stringify(path)}); console.log("free"); } catch (error) { console.log(error.message); }`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", code]);
  expect(stderr.toString()).toBe("");
  const text = stdout.toString().trim();
  if (text !== "free") expect(text).toContain("in use. Stop the server");
  return text === "free";
}

test("many share the lock, one holds it exclusively, and each releases it once, however often it calls release", () => {
  const path = join(tempFolder(), "data", "server.db");
  const [first, second] = [lockShared(path, 0), lockShared(path, 0)];
  expect(() => lockExclusive(path)).toThrow("in use");
  first();
  first();
  expect(isFree(path)).toBe(false);
  second();
  expect(isFree(path)).toBe(true);
  const alone = lockExclusive(path);
  expect(() => lockShared(path, 0)).toThrow("A restore is replacing the data of");
  expect(() => lockExclusive(path)).toThrow("in use");
  alone();
  lockShared(path, 0)();
  expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600);
});

test("a store holds the lock until it is closed, also after another store of the same process was closed", async () => {
  const path = join(tempFolder(), "server.db");
  const store = openTestFile(path);
  await openTestFile(path).close();
  expect(isFree(path)).toBe(false);
  await store.close();
  expect(isFree(path)).toBe(true);
});

test("a store that cannot be opened holds no lock", async () => {
  const path = join(tempFolder(), "server.db");
  await Bun.write(path, "no database ".repeat(999));
  expect(await failureOf(() => openTestFile(path))).toBeInstanceOf(CommandError);
  expect(isFree(path)).toBe(true);
});

test("a store is not opened while a restore replaces the data", async () => {
  const path = join(tempFolder(), "server.db");
  const release = lockExclusive(path);
  const error = (await failureOf(() => openTestFile(path))) as CommandError;
  expect(error.message).toContain("A restore is replacing the data of");
  expect(await Bun.file(path).exists()).toBe(false);
  release();
  await openTestFile(path).close();
});
