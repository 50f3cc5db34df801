import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readUserFile, writeUserFile } from "../../../src/cli/client/file.ts";

const root = mkdtempSync(join(tmpdir(), "chatgpt-api-client-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NOW = Date.UTC(2026, 10, 28, 1, 2, 3);
let count = 0;

/** Returns the path of a file in a folder of its own. */
function pathWith(text?: string, mode = 0o644): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  const path = join(folder, "config.toml");
  if (text !== undefined) writeFileSync(path, text);
  if (text !== undefined) chmodSync(path, mode);
  return path;
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a file with a token is for its owner only, and so is the copy of the old file", () => {
  const path = pathWith("old");
  const copy = writeUserFile(readUserFile(path), { text: "new", isSecret: true, now: NOW });
  expect(copy).toBe(`${path}.bak-20261128T010203Z`);
  expect([readFileSync(path, "utf8"), readFileSync(copy ?? "", "utf8")]).toEqual(["new", "old"]);
  expect([modeOf(path), modeOf(copy ?? "")]).toEqual([0o600, 0o600]);
});

test("a file without a token keeps its mode", () => {
  const path = pathWith("old", 0o644);
  writeUserFile(readUserFile(path), { text: "new", isSecret: false, now: NOW });
  expect(modeOf(path)).toBe(0o644);
});

test("a new file is made with its folders and without a copy", () => {
  const path = join(pathWith(), "../a/b/config.toml");
  expect(writeUserFile(readUserFile(path), { text: "new", isSecret: true, now: NOW })).toBeUndefined();
  expect([readFileSync(path, "utf8"), modeOf(path)]).toEqual(["new", 0o600]);
});

test("two copies of one second have names of their own", () => {
  const path = pathWith("one");
  writeUserFile(readUserFile(path), { text: "two", isSecret: true, now: NOW });
  const copy = writeUserFile(readUserFile(path), { text: "three", isSecret: true, now: NOW });
  expect(copy).toBe(`${path}.bak-20261128T010203Z-2`);
  expect(readFileSync(copy ?? "", "utf8")).toBe("two");
});

test("a symbolic link, a folder and a file that is too large are refused", () => {
  const path = pathWith("text");
  const link = `${path}.link`;
  symlinkSync(path, link);
  expect(() => readUserFile(link)).toThrow(`is a symbolic link to ${path}, which is not followed.`);
  expect(() => readUserFile(join(path, ".."))).toThrow("is not a file");
  writeFileSync(path, " ".repeat(5_000_000));
  expect(() => readUserFile(path)).toThrow("is larger than 4 MB");
});

test("a file that another program changes meanwhile stays as that program left it, without a copy", () => {
  const path = pathWith("old");
  const file = readUserFile(path);
  writeFileSync(path, "by another");
  expect(() => writeUserFile(file, { text: "new", isSecret: true, now: NOW })).toThrow("changed meanwhile");
  expect(readFileSync(path, "utf8")).toBe("by another");
  expect(readdirSync(join(path, ".."))).toEqual(["config.toml"]);
});

test("a file that appears meanwhile is not replaced", () => {
  const path = pathWith();
  const file = readUserFile(path);
  writeFileSync(path, "by another");
  expect(() => writeUserFile(file, { text: "new", isSecret: true, now: NOW })).toThrow("changed meanwhile");
  expect(readFileSync(path, "utf8")).toBe("by another");
});
