import { expect, test } from "bun:test";
import { createDashboard } from "../../src/dashboard/assets.ts";
import type { DashboardFile } from "../../src/http/operations/dashboard.ts";

/** The compressed size of everything that a browser loads before it asks for a key, or shows a page. */
const COMPRESSED_BYTES_MAX = 150_000;

const dashboard = createDashboard();

async function find(path: string): Promise<DashboardFile> {
  const file = await dashboard.find(path);
  if (!file) throw new Error(`There is no file ${path}.`);
  return file;
}

function textOf({ bytes }: DashboardFile): string {
  return new TextDecoder().decode(bytes);
}

async function readPage() {
  const html = textOf(await find(""));
  const links = [...html.matchAll(/\s(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  return { html, links };
}

test("the page refers to its script, style sheet and icon by absolute addresses", async () => {
  const { links } = await readPage();
  expect(links.map((link) => link.replace(/-\w{8}\./, "-HASH.")).sort()).toEqual([
    "/dashboard/chunk-HASH.css",
    "/dashboard/chunk-HASH.js",
    "/dashboard/icon-HASH.svg",
  ]);
});

test("the files that the page refers to exist, have the right type, and may be cached forever", async () => {
  const { links } = await readPage();
  const types = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
  for (const link of links) {
    const file = await find(link.slice("/dashboard/".length));
    expect(file.type, link).toStartWith(types[link.split(".").at(-1) as keyof typeof types]);
    expect(file.isHashed, link).toBe(true);
    expect(file.bytes.length, link).toBeGreaterThan(100);
  }
  const page = await find("");
  expect(page.type).toStartWith("text/html");
  expect(page.isHashed, "an old page must not outlive its files").toBe(false);
});

test("no other file can be found", async () => {
  for (const path of ["index.html", "main.tsx", "chunk.js", "../assets.ts", "/", "toString"])
    expect(await dashboard.find(path), path).toBeUndefined();
});

test("the page contains no inline script or style, so that the content security policy can forbid them", async () => {
  const { html } = await readPage();
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
  for (const [, attributes, content] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
    expect(attributes).toContain("src=");
    expect(content).toBe("");
  }
});

/** XML namespaces, which look like addresses, but nothing is loaded from them. */
const NAMESPACES = /http:\/\/www\.w3\.org\/(?:2000\/svg|1998\/Math\/MathML|)/g;

/** Hosts in examples to paste, and in links. */
const EXAMPLE_HOSTS =
  /^https?:\/\/(?:localhost|127\.0\.0\.1|[\w.-]*example\.(?:com|org)|github\.com|opencode\.ai)$/;

function hostsIn(text: string): string[] {
  return text.replaceAll(NAMESPACES, "").match(/(?:https?|wss?):\/\/[\w.[-]+/g) ?? [];
}

test("page and style sheet name no other host, and the script names only hosts in examples and links", async () => {
  const { html, links } = await readPage();
  expect(hostsIn(html)).toEqual([]);
  for (const link of links) {
    const text = textOf(await find(link.slice("/dashboard/".length)));
    const hosts = hostsIn(text);
    expect(link.endsWith(".js") ? hosts.filter((host) => !EXAMPLE_HOSTS.test(host)) : hosts, link).toEqual(
      [],
    );
    expect(text, link).not.toMatch(/@import|\beval\(|new Function|sourceMappingURL/);
    // In a script it may be the name of a function, and hosts in it are looked for above.
    if (!link.endsWith(".js")) expect(text, link).not.toMatch(/url\((?!["']?data:)/);
  }
});

test("the compressed files together stay below the size limit", async () => {
  const { links } = await readPage();
  const files = await Promise.all(["", ...links.map((link) => link.slice("/dashboard/".length))].map(find));
  for (const { bytes, gzip } of files) expect(Bun.gunzipSync(gzip)).toEqual(bytes);
  expect(files.reduce((all, { gzip }) => all + gzip.length, 0)).toBeLessThan(COMPRESSED_BYTES_MAX);
});

test("each file has an ETag of its own that depends only on its content", async () => {
  const { links } = await readPage();
  const paths = ["", ...links.map((link) => link.slice("/dashboard/".length))];
  const tags = await Promise.all(paths.map(async (path) => (await find(path)).etag));
  expect(new Set(tags).size).toBe(paths.length);
  for (const tag of tags) expect(tag).toMatch(/^"[\w-]+"$/);
  const again = createDashboard();
  expect(await Promise.all(paths.map(async (path) => (await again.find(path))?.etag))).toEqual(tags);
});
