import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const NAMED = /`(test\/[\w/.-]+\.test\.ts)` "([^"]+)"/g;

test("every test that docs/security.md names exists, and every threat names one", async () => {
  const docs = await Bun.file(join(root, "docs/security.md")).text();
  const named = [...docs.matchAll(NAMED)];
  const wanting: string[] = [];
  for (const [, path = "", title = ""] of named) {
    const file = Bun.file(join(root, path));
    const text = (await file.exists()) ? await file.text() : "";
    const isThere = ['"', "`"].some((quote) => text.includes(quote + title));
    if (!isThere) wanting.push(`${path}: ${title}`);
  }
  expect(wanting).toEqual([]);
  const threats = docs.split("\n").filter((line) => line.startsWith("| ") && !/^\| (threat|---) /.test(line));
  expect(threats.length).toBeGreaterThan(30);
  const bare = threats.filter((line) => [...line.matchAll(NAMED)].length === 0);
  expect(bare).toEqual([]);
  // Each path is followed by a title, so that the check above has seen it.
  expect(docs.match(/`test\/[^`]+\.test\.ts`/g)).toHaveLength(named.length);
});
