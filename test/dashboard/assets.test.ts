import { expect, test } from "bun:test";
import { brotliDecompressSync } from "node:zlib";
import { createDashboard } from "../../src/dashboard/assets.ts";
import type { DashboardFile } from "../../src/http/operations/dashboard.ts";

/** The compressed size of all files: of every page, and of what they share. */
const ALL_BYTES_MAX = 150_000;

/** The same for browsers that reach the server over plain HTTP from another machine, which accept only gzip. */
const ALL_GZIP_BYTES_MAX = 160_000;

/**
 * The gzipped size of everything that a browser loads before it can show the sign-in form. Over slow 3G, at 50 kB/s with
 * 400 ms for each of the two rounds, this is 1.6 s.
 */
const FIRST_BYTES_MAX = 40_000;

const dashboard = createDashboard();

/** Returns the file of this name, or without a name the page. */
async function find(path: string): Promise<DashboardFile> {
  const file = path === "" ? await dashboard.page("nothing") : await dashboard.find(path);
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

const nameOf = (address: string) => address.slice("/dashboard/".length);

/** Returns the names of the files that a script waits for. */
async function importsOf(name: string): Promise<string[]> {
  const imported = textOf(await find(name)).matchAll(/\b(?:from|import)"(\/dashboard\/[^"]+)"/g);
  return [...imported].map(([, address = ""]) => nameOf(address));
}

/** Returns the names of the files that a script loads when it needs them, with the part that is used of each. */
async function loadedBy(name: string): Promise<Map<string, string>> {
  const loaded = textOf(await find(name)).matchAll(/\bimport\("(\/dashboard\/[^"]+)"\)[)\s]*(?:\.(\w+))?/g);
  return new Map([...loaded].map(([, address = "", part = ""]) => [part, nameOf(address)]));
}

/** Returns the names of all files, by following the page's links and the scripts' imports. */
async function allFiles(): Promise<ReadonlySet<string>> {
  const names = new Set(["", ...(await readPage()).links.map(nameOf)]);
  for (const name of names) {
    if (!name.endsWith(".js")) continue;
    for (const other of [...(await importsOf(name)), ...(await loadedBy(name)).values()]) names.add(other);
  }
  return names;
}

const sumOf = (parts: Uint8Array[]) => parts.reduce((sum, { length }) => sum + length, 0);

const gzippedSize = async (names: Iterable<string>) => {
  const files = await Promise.all(Array.from(names, find));
  return sumOf(await Promise.all(files.map(({ encoded }) => encoded.gzip())));
};

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
    const file = await find(nameOf(link));
    expect(file.type, link).toStartWith(types[link.split(".").at(-1) as keyof typeof types]);
    expect(file.isHashed, link).toBe(true);
    expect(file.bytes.length, link).toBeGreaterThan(100);
  }
  const page = await find("");
  expect(page.type).toStartWith("text/html");
  expect(page.isHashed, "an old page must not outlive its files").toBe(false);
});

test("no other file can be found", async () => {
  for (const path of ["", "index.html", "main.tsx", "chunk.js", "../assets.ts", "/", "toString"])
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
    const text = textOf(await find(nameOf(link)));
    const hosts = hostsIn(text);
    expect(link.endsWith(".js") ? hosts.filter((host) => !EXAMPLE_HOSTS.test(host)) : hosts, link).toEqual(
      [],
    );
    expect(text, link).not.toMatch(/@import|\beval\(|new Function|sourceMappingURL/);
    // In a script it may be the name of a function, and hosts in it are looked for above.
    if (!link.endsWith(".js")) expect(text, link).not.toMatch(/url\((?!["']?data:)/);
  }
});

test("all compressed files together stay below the size limit", async () => {
  const files = await Promise.all(Array.from(await allFiles(), find));
  expect(files.length, "every page is found").toBeGreaterThan(14);
  const gzipped = await Promise.all(files.map(({ encoded }) => encoded.gzip()));
  const brotli = await Promise.all(files.map(({ encoded }) => encoded.br()));
  for (const [nth, { bytes }] of files.entries()) {
    expect(Bun.gunzipSync(gzipped[nth] ?? bytes)).toEqual(bytes);
    expect(new Uint8Array(brotliDecompressSync(brotli[nth] ?? bytes))).toEqual(bytes);
  }
  expect(sumOf(brotli)).toBeLessThan(ALL_BYTES_MAX);
  expect(sumOf(gzipped)).toBeLessThan(ALL_GZIP_BYTES_MAX);
});

test("the sign-in form needs three files after the page, which are loaded at once and are small", async () => {
  const names = (await readPage()).links.map(nameOf);
  expect(names).toHaveLength(3);
  for (const name of names.filter((one) => one.endsWith(".js")))
    expect(await importsOf(name), `${name} waits for no other file`).toEqual([]);
  expect(await gzippedSize(["", ...names])).toBeLessThan(FIRST_BYTES_MAX);
});

test("the overview comes with the first file, and only its charts wait for what draws them", async () => {
  const [first = ""] = (await readPage()).links.map(nameOf).filter((name) => name.endsWith(".js"));
  const pages = await loadedBy(first);
  expect([...pages.keys()]).not.toContain("OverviewPage");
  expect([...pages.keys()]).toContain("TrafficPage");
});

test.each([
  ["session", ["/api/session"]],
  ["overview", ["/api/session", "/admin/overview"]],
] as const)(
  "the page that shows the %s first differs only in that it asks for %j at once",
  async (data, paths) => {
    const page = await dashboard.page(data);
    const links = textOf(page).match(/<link rel="preload"[^>]*>/g) ?? [];
    expect(links.map((link) => /href="([^"]+)"/.exec(link)?.[1] ?? "")).toEqual([...paths]);
    expect(textOf(page).replace(links.join(""), "")).toBe(textOf(await find("")));
    const others = (["nothing", "session", "overview"] as const).filter((other) => other !== data);
    for (const other of others) expect(page.etag).not.toBe((await dashboard.page(other)).etag);
  },
);

test("no page waits for a file that waits for another one but the first", async () => {
  const [first = ""] = (await readPage()).links.map(nameOf).filter((name) => name.endsWith(".js"));
  for (const [page, name] of await loadedBy(first)) {
    const imports = (await importsOf(name)).filter((one) => one !== first);
    expect(imports.length, `files that ${page} waits for`).toBeLessThan(6);
    for (const one of imports)
      expect(
        (await importsOf(one)).filter((other) => other !== first && !imports.includes(other)),
        one,
      ).toEqual([]);
  }
});

test("each file has an ETag of its own that depends only on its content", async () => {
  const paths = [...(await allFiles())];
  const tags = await Promise.all(paths.map(async (path) => (await find(path)).etag));
  expect(new Set(tags).size).toBe(paths.length);
  for (const tag of tags) expect(tag).toMatch(/^"[\w-]+"$/);
  const again = createDashboard();
  const names = paths.filter((path) => path !== "");
  expect(await Promise.all(names.map(async (path) => (await again.find(path))?.etag))).toEqual(tags.slice(1));
  expect((await again.page("nothing")).etag).toBe(tags[0] ?? "");
});
