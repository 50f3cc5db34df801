import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { V1_MESSAGE } from "../src/protocol/agent-v1.ts";
import { AgentFrame, ENDPOINTS, ServerFrame } from "../src/protocol/agent-v2.ts";
import { CLOSE } from "../src/protocol/close.ts";

const ROOT = join(import.meta.dir, "..");
const read = (path: string) => Bun.file(join(ROOT, path)).text();

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

test("every event of the log, from level info on, is on the page of logs", async () => {
  const docs = await read("docs/logs.md");
  const events = new Set<string>();
  for (const path of new Bun.Glob("src/**/*.ts").scanSync({ cwd: ROOT })) {
    const calls = (await read(path)).matchAll(/\blog\.(?:info|warn|error)\(\s*"([a-z_]+)"/g);
    for (const [, event = ""] of calls) events.add(event);
  }
  expect(events.size).toBeGreaterThan(20);
  expect([...events].filter((event) => !docs.includes(`\`${event}\``))).toEqual([]);
});

const PAGES = ["*.md", "docs/**/*.md"].flatMap((pattern) => [
  ...new Bun.Glob(pattern).scanSync({ cwd: ROOT }),
]);

test("every link between the documents has a target, and its anchor is a heading there", async () => {
  expect(PAGES.length).toBeGreaterThan(10);
  const wrong: string[] = [];
  for (const page of PAGES) {
    for (const [, path = "", anchor] of (await read(page)).matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
      const target = path === "" ? page : join(dirname(page), path);
      const isThere = await Bun.file(join(ROOT, target)).exists();
      if (!isThere || (anchor && !anchorsOf(await read(target)).includes(anchor)))
        wrong.push(`${page}: ${path}#${anchor}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("docs/README.md has a link to every page below docs", async () => {
  const index = await read("docs/README.md");
  const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  expect(pages.filter((page) => !index.includes(`](${page.replace("docs/", "")})`))).toEqual([]);
});

test("every picture of a page is there", async () => {
  const pictures: string[] = [];
  for (const page of PAGES) {
    for (const [, path = ""] of (await read(page)).matchAll(/\b(?:src|srcset)="(?!https?:)([^"]+)"/g))
      pictures.push(join(dirname(page), path));
  }
  expect(pictures.length).toBeGreaterThan(2);
  expect(pictures.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

/** Returns the anchors of a page's headings, made as GitHub makes them. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("every file that CONTRIBUTING.md names exists, and every name of code in it is in the code", async () => {
  const sources = new Bun.Glob("{src,test,.ci,drizzle}/**/*.{ts,tsx,json}").scanSync({
    cwd: ROOT,
    dot: true,
  });
  const texts = await Promise.all([...sources, "package.json"].map(read));
  const wrong: string[] = [];
  for (const [, name = ""] of (await read("CONTRIBUTING.md")).matchAll(/`([^`\n]+)`/g)) {
    if (/^(src|test|docs|drizzle)\/[\w/.-]+$/.test(name)) {
      if (!existsSync(join(ROOT, name))) wrong.push(name);
    } else if (/^#?[a-z]+[A-Z]\w*$|^[A-Z_]{4,}$/.test(name) && !texts.some((text) => text.includes(name)))
      wrong.push(name);
  }
  expect(wrong).toEqual([]);
});
