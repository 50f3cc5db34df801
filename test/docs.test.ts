import { expect, test } from "bun:test";
import { V1_MESSAGE } from "../src/protocol/agent-v1.ts";
import { AgentFrame, ENDPOINTS, ServerFrame } from "../src/protocol/agent-v2.ts";
import { CLOSE } from "../src/protocol/close.ts";

const read = (path: string) => Bun.file(new URL(`../${path}`, import.meta.url)).text();

test("every v1 frame and every close code is on the page of the agent protocol", async () => {
  const docs = await read("docs/agent-protocol.md");
  for (const message of Object.values(V1_MESSAGE)) expect(docs).toContain(`| \`${message}\` |`);
  for (const [name, { code, reason }] of Object.entries(CLOSE)) {
    expect(docs).toContain(`| ${code} | \`${name}\` | ${reason} |`);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  }
});

test("every v2 frame is on the page of the agent protocol with all its fields, and so is every endpoint", async () => {
  const [, docs = ""] = (await read("docs/agent-protocol.md")).split("## v2");
  for (const { shape } of [...AgentFrame.options, ...ServerFrame.options]) {
    const { type, ...fields } = shape;
    const row = docs.split("\n").find((line) => line.startsWith(`| \`${type.value}\` |`));
    expect(row, type.value).toBeDefined();
    for (const [name, field] of Object.entries(fields)) {
      const isOptional = "safeParse" in field && field.safeParse(undefined).success;
      expect(row, type.value).toContain(`\`${name}${isOptional ? "?" : ""}\``);
    }
  }
  for (const endpoint of ENDPOINTS) expect(docs).toContain(`\`${endpoint}\``);
});

test("every link between the documents has a target", async () => {
  const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...new Bun.Glob("docs/*.md").scanSync(".")];
  for (const page of pages) {
    for (const [, target = ""] of (await read(page)).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = new URL(target, new URL(`../${page}`, import.meta.url));
      expect(await Bun.file(path).exists(), `${page} links to ${target}`).toBe(true);
    }
  }
});
