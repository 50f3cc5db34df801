import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileTrouble } from "../src/system-error.ts";
import { failureOf, tempFolder } from "./support/store.ts";

test("a known error of the system is described in words that say what to do", async () => {
  const folder = tempFolder();
  const errors = [`${folder}/absent`, folder, `${folder}/${"x".repeat(300)}`].map((path) =>
    failureOf(() => readFileSync(path)),
  );
  expect((await Promise.all(errors)).map((error) => fileTrouble(error))).toEqual([
    "It does not exist. Check the path.",
    "It is a folder. Move it away, or choose another path.",
    "Its path is too long. Choose a shorter one.",
  ]);
});

test("an unknown error keeps its text, in one line, unless there is a better one", () => {
  expect(fileTrouble(new Error("a\nb"))).toBe("a b");
  expect(fileTrouble("thrown text")).toBe("thrown text");
  expect(fileTrouble(undefined)).toBe("undefined");
  expect(fileTrouble(new Error("/path"), "Check it.")).toBe("Check it.");
});
