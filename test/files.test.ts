import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishFile } from "../src/files.ts";
import { tempFolder } from "./support/store.ts";

test("a finished file gets its name, unless the name is taken", () => {
  const folder = tempFolder();
  const first = join(folder, "first");
  const second = join(folder, "second");
  const path = join(folder, "path");
  writeFileSync(first, "first");
  writeFileSync(second, "second");
  expect([publishFile(first, path), publishFile(second, path)]).toEqual([true, false]);
  expect(readFileSync(path, "utf8")).toBe("first");
});
