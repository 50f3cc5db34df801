import { expect, test } from "bun:test";
import { join } from "node:path";
import { englishFaults } from "./support/english.ts";

const root = join(import.meta.dir, "..");
const TEXTS = ["{src,test,.ci,packaging}/**/*.{ts,tsx,cjs}", "*.md", "docs/**/*.md", ".github/**/*.md"];

test("comments, texts, test titles and documents keep the rules of English that a machine can check", async () => {
  const paths = TEXTS.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })]);
  expect(paths.length).toBeGreaterThan(500);
  const faults: string[] = [];
  for (const path of paths) {
    for (const { line, rule, text, isHint } of englishFaults(path, await Bun.file(join(root, path)).text()))
      if (!isHint) faults.push(`${path}:${line}: ${rule}: ${text}`);
  }
  expect(faults).toEqual([]);
});

const rulesOf = (source: string, path = "src/a.ts") =>
  englishFaults(path, source)
    .filter(({ isHint }) => !isHint)
    .map(({ rule }) => rule);

test.each([
  "/** Of this server. */",
  "/** What an agent offers. */",
  "/**\n * One that waits.\n */",
  "/** None that is known. */",
  "/** As they came. */",
  "/** Where agents connect. */",
  "/** So that nothing is lost. */",
  "// A header that is no header.",
  "// The last one is none.",
  "/** Calls back, and gives what ends it. */",
  "/** The relay is told the result. */",
  "// Nothing is sent for so long.",
  "/** Deletes the user with his tokens. */",
  "/** Lets whoever asks in. */",
  "// Agents of protocol 1 answer.",
  "/** The reference's agents come back. */",
  'throw new Error("So many sockets are open.");',
  "const hint = `The model is none of the known ones.`;",
])("the check of English refuses %j", (source) => {
  expect(rulesOf(source)).toHaveLength(1);
});

test.each([
  "of nobody says so",
  "and not to one that is",
  "is refused",
  "gives the fields",
  "%s",
  "$name",
  "it works",
])("the check of English refuses the test title %j", (title) => {
  expect(rulesOf(`test(${JSON.stringify(title)}, () => {});`, "test/a.test.ts")).toHaveLength(1);
  expect(rulesOf(`  test.each([["a"]])(${JSON.stringify(title)}, () => {});`, "test/a.test.ts")).toHaveLength(
    1,
  );
});

test.each([
  "/** Returns the agents that wait. */",
  "/** Whether it is no longer needed, or there is no model. */",
  "// As long as it runs, so many requests that the queue is full are refused.",
  '/** The agent is told to leave. */ const path = "src/**/*.ts";',
  "const told = 1; // They are told apart by their id.",
])("the check of English accepts %j", (source) => {
  expect(rulesOf(source)).toEqual([]);
});
