import { expect, test } from "bun:test";
import { CLOSE } from "../src/protocol/close.ts";
import { REFERENCE_MESSAGE } from "../src/protocol/reference.ts";

const read = (path: string) => Bun.file(new URL(`../${path}`, import.meta.url)).text();

test("every frame kind and close code is in the agents' protocol document", async () => {
  const docs = await read("docs/agent-protocol.md");
  for (const message of Object.values(REFERENCE_MESSAGE)) expect(docs).toContain(`| \`${message}\` |`);
  for (const [name, { code, reason }] of Object.entries(CLOSE)) {
    expect(docs).toContain(`| ${code} | \`${name}\` | ${reason} |`);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  }
});

test("no link between the documents leads nowhere", async () => {
  const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...new Bun.Glob("docs/*.md").scanSync(".")];
  for (const page of pages) {
    for (const [, target = ""] of (await read(page)).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = new URL(target, new URL(`../${page}`, import.meta.url));
      expect(await Bun.file(path).exists(), `${page} links to ${target}`).toBe(true);
    }
  }
});
