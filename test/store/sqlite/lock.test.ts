import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../../src/errors.ts";
import { holdAlone, holdTogether } from "../../../src/store/sqlite/lock.ts";
import { failureOf, openTestFile, tempFolder } from "../../support/store.ts";

const SOURCE = join(import.meta.dir, "../../../src/store/sqlite/lock.ts");

/** Whether another process could hold it alone now. */
function isFree(path: string): boolean {
  const code = `const { holdAlone } = await import(${JSON.stringify(SOURCE)});
    try { holdAlone(${JSON.stringify(path)}); console.log("free"); } catch (error) { console.log(error.message); }`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", code]);
  expect(stderr.toString()).toBe("");
  const text = stdout.toString().trim();
  if (text !== "free") expect(text).toContain("in use: stop the server");
  return text === "free";
}

test("many hold it together, one alone, and each lets go once, however often it says so", () => {
  const path = join(tempFolder(), "data", "server.db");
  const [first, second] = [holdTogether(path, 0), holdTogether(path, 0)];
  expect(() => holdAlone(path)).toThrow("in use");
  first();
  first();
  expect(isFree(path)).toBe(false);
  second();
  expect(isFree(path)).toBe(true);
  const alone = holdAlone(path);
  expect(() => holdTogether(path, 0)).toThrow("are being exchanged");
  expect(() => holdAlone(path)).toThrow("in use");
  alone();
  holdTogether(path, 0)();
  expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600);
});

test("a store holds it until it is closed, also when another one of the same process came and went", async () => {
  const path = join(tempFolder(), "server.db");
  const store = openTestFile(path);
  await openTestFile(path).close();
  expect(isFree(path)).toBe(false);
  await store.close();
  expect(isFree(path)).toBe(true);
});

test("a store that cannot be opened holds nothing", async () => {
  const path = join(tempFolder(), "server.db");
  await Bun.write(path, "no database ".repeat(999));
  expect(await failureOf(() => openTestFile(path))).toBeInstanceOf(CommandError);
  expect(isFree(path)).toBe(true);
});

test("a store is not opened while the data are being exchanged", async () => {
  const path = join(tempFolder(), "server.db");
  const letGo = holdAlone(path);
  const error = (await failureOf(() => openTestFile(path))) as CommandError;
  expect(error.message).toContain("are being exchanged: try again when that is done");
  expect(await Bun.file(path).exists()).toBe(false);
  letGo();
  await openTestFile(path).close();
});
