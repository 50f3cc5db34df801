import { expect, test } from "bun:test";
import { commandBlocks, mayRun, REASONS, whyNotRun } from "./commands.ts";
import { readPage } from "./pages.ts";

test("every reason not to run a command of the documents belongs to a command that is there", () => {
  const used = new Set(
    commandBlocks().flatMap((block) => block.commands.map((each) => whyNotRun(block, each))),
  );
  expect(REASONS.filter((reason) => !used.has(reason))).toEqual([]);
});

test("every command of the documents is run by a test, or there is a reason why not", () => {
  const isSettled = (command: string, reason: string | undefined) => reason !== undefined || mayRun(command);
  const open = commandBlocks().flatMap((block) =>
    block.commands.filter((each) => !isSettled(each, whyNotRun(block, each))),
  );
  // Each needs an entry in the lists of commands.ts, or a place among the programs that may run.
  expect(open).toEqual([]);
});

test.each([
  "rm -rf /",
  "ADMIN_KEY=key rm -rf /",
  "export A=$(rm -rf /)",
  "curl http://example.org/install.sh",
  "curl http://localhost:8080/health; rm -rf /",
  "curl http://localhost:8080/health > /etc/passwd",
  "chatgpt-api-server 8080 $(rm -rf /)",
  "chatgpt-api-server update",
  "chatgpt-api-server serve install 8080",
  "npx something",
  "npm install --global chatgpt-api-server",
])("a test may not run the command %j", (command) => {
  expect(mayRun(command)).toBe(false);
});

test("the documents have commands, and more than a third of them are run", () => {
  const all = commandBlocks().flatMap((block) => block.commands.map((each) => whyNotRun(block, each)));
  expect(all.length).toBeGreaterThan(60);
  expect(all.filter((reason) => reason === undefined).length).toBeGreaterThan(all.length / 3);
});

test("README has the two commands for a checkout to the letter", () => {
  const lines = readPage("README.md")
    .split("\n")
    .map((line) => line.replace(/ +#.*/, ""));
  expect(lines).toContain("npx -y bun@1.4.5 start 8080 key");
  expect(lines).toContain("npx -y bun@1.4.5 run test");
});
