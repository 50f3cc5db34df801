import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runExecutable } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";
import { MAIN } from "./terminal.ts";

const SERVE = ["0", "admin-key-0123456789", "--host", "127.0.0.1"];

/** Runs the program on a data folder that cannot be used, and returns its exit code and its lines. */
async function run(args: readonly string[], data: string): Promise<[number | null, string[]]> {
  const { code, stdout, stderr } = await runExecutable([MAIN, ...args, "--data", data], {
    path: process.execPath,
  });
  expect(stdout).toBe("");
  return [code, stderr.trimEnd().split("\n")];
}

test.each<[string, (folder: string) => string, string]>([
  ["a file", (folder) => folder, "A part of its path is a file."],
  ["below a file", (folder) => join(folder, "data"), "A part of its path is a file."],
  ["a path that is too long", (folder) => join(folder, "..", "x".repeat(300)), "Its path is too long."],
])("a server whose data folder is %s ends with one line that says what to do", async (_, pathOf, text) => {
  const file = join(tempFolder(), "file");
  writeFileSync(file, "");
  const [code, lines] = await run(SERVE, pathOf(file));
  expect(code).toBe(1);
  expect(lines).toEqual([expect.stringContaining(text)]);
  expect(lines[0]).toStartWith("chatgpt-api-server: Cannot open the database ");
});

test.each([
  [["users", "list"]],
  [["users", "add"]],
  [["agents", "add", "desk"]],
  [["agents", "list"]],
  [["backup", "b"]],
])(
  "the command %j on a folder without a database ends with one line that says what to do, and makes none",
  async (args) => {
    const data = join(tempFolder(), "data");
    const [code, lines] = await run(args, data);
    expect(code).toBe(1);
    expect(lines).toEqual([
      `chatgpt-api-server: There is no database in ${data}. Name the server's data folder with --data, or start the server once to create one.`,
    ]);
    expect(existsSync(data)).toBe(false);
  },
);
