import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TARGETS } from "../../.ci/runtime.ts";
import { checksumOf } from "../../src/update/checksums.ts";
import { executableName } from "../../src/update/executable-name.ts";
import { exchange, putBack, replaceExecutable, updateFiles } from "../../src/update/files.ts";
import { beginUpdate } from "../../src/update/journal.ts";
import { findRelease } from "../../src/update/release.ts";
import { sourceOf } from "../../src/update/source.ts";
import { compareVersions, readVersion } from "../../src/update/version.ts";
import { failureOf, tempFolder } from "../support/store.ts";

test("every executable of a release is the one of some machine", () => {
  const names = ["linux", "darwin", "win32"].flatMap((platform) =>
    ["x64", "arm64"].flatMap((arch) =>
      [false, true].map((isMusl) => executableName({ platform, arch, isMusl }).replace(/\.exe$/, "")),
    ),
  );
  expect([...new Set(names)].sort()).toEqual(TARGETS.map((target) => `chatgpt-api-server-${target}`).sort());
});

test("a list of checksums is read as sha256sum reads it, and only for the exact name", () => {
  const hash = "ab".repeat(32);
  const text = `# made by hand\n${hash}  a\n${"cd".repeat(32)} *b\r\n${"0".repeat(63)}  c\n`;
  expect([checksumOf(text, "a"), checksumOf(text, "b")]).toEqual([hash, "cd".repeat(32)]);
  expect([checksumOf(text, "c"), checksumOf(text, "a\n"), checksumOf(text, "d")]).toEqual(
    Array(3).fill(undefined),
  );
});

test("versions are compared by their numbers, and another text is refused", () => {
  expect(["v0.10.0", " 0.2.0\n", "1.0.0-rc.1", "1.0", "latest", "1.0.0/../x"].map(readVersion)).toEqual([
    ...["0.10.0", "0.2.0", "1.0.0-rc.1"],
    ...Array(3).fill(undefined),
  ]);
  expect(compareVersions("0.10.0", "0.9.0")).toBeGreaterThan(0);
  expect(compareVersions("1.0.0-rc.1", "1.0.0")).toBeLessThan(0);
});

test.each<[string, boolean, boolean]>([
  ["https://example.com/releases", false, true],
  ["http://127.0.0.1:9/releases", false, true],
  ["http://example.com/releases", false, false],
  ["http://example.com/releases", true, true],
])(
  "the release page %s with a required proof: %p, is taken: %p",
  async (updateFrom, requireProvenance, isTaken) => {
    const read = () => sourceOf({ updateFrom, requireProvenance }, undefined);
    if (isTaken) expect(read()).toEqual({ from: updateFrom, repository: undefined });
    else expect(String(await failureOf(read))).toContain("without TLS");
  },
);

test("the repository of the build, or of a page of GitHub, is the one that must have built a release", async () => {
  const settings = { updateFrom: undefined, requireProvenance: false };
  expect(sourceOf(settings, "me/it")).toEqual({
    from: "https://github.com/me/it/releases",
    repository: "me/it",
  });
  const fork = "https://github.com/you/fork/releases";
  expect(sourceOf({ ...settings, updateFrom: fork }, "me/it").repository).toBe("you/fork");
  expect(String(await failureOf(() => sourceOf(settings, undefined)))).toContain("--from");
});

/** Serves a page whose answers are made by `answer`. */
function page(answer: (path: string) => Response) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => answer(new URL(url).pathname),
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

test.each<[string, Response, string]>([
  [
    "redirects to no tag",
    new Response(null, { status: 302, headers: { location: "/releases" } }),
    "has no release yet",
  ],
  [
    "redirects to a tag that cannot be decoded",
    new Response(null, { status: 302, headers: { location: "/releases/tag/v%E0%A4%A" } }),
    "has no release yet",
  ],
  ["answers with another text", new Response("<html>"), "has no release yet"],
  ["fails", new Response("no", { status: 500 }), "status 500"],
  ["answers at length", new Response("9".repeat(1000)), "longer than it may be"],
])("a page that %s has no newest version", async (_, response, why) => {
  using served = page(() => response);
  expect(String(await failureOf(() => findRelease({ from: served.url, version: undefined })))).toContain(why);
});

test("a page may say the newest version in a text, and its files may redirect a few times", async () => {
  using served = page((path) => {
    if (path === "/latest") return new Response("v1.2.3\n");
    const left = Number(/left=(\d)/.exec(path)?.[1] ?? 3);
    return left > 0 ? Response.redirect(`/left=${left - 1}`, 302) : new Response("content");
  });
  const release = await findRelease({ from: served.url, version: undefined });
  expect(release.version).toBe("1.2.3");
  const file = await release.open("a");
  expect(await new Response(file?.body).text()).toBe("content");
});

test("a page that redirects for ever is refused", async () => {
  using served = page((path) =>
    path === "/latest" ? new Response("v1.2.3") : Response.redirect("/again", 302),
  );
  const release = await findRelease({ from: served.url, version: undefined });
  expect(String(await failureOf(() => release.open("a")))).toContain("redirects too often");
});

/** An executable, and a download beside it. */
function filesOf() {
  const folder = tempFolder();
  const files = updateFiles(join(folder, "it"));
  writeFileSync(files.executable, "old");
  writeFileSync(files.part, "new");
  const text = (path: string) => readFileSync(path, "utf8");
  const state = () => [text(files.executable), text(files.previous)];
  return { files, folder, state };
}

test("an executable is replaced, and put back or exchanged, without a file that is left over", () => {
  const { files, folder, state } = filesOf();
  replaceExecutable(files);
  expect(state()).toEqual(["new", "old"]);
  exchange(files);
  expect(state()).toEqual(["old", "new"]);
  putBack(files);
  expect(state()).toEqual(["new", "new"]);
  writeFileSync(files.part, "newest");
  replaceExecutable(files);
  expect(state()).toEqual(["newest", "new"]);
  expect(readdirSync(folder).sort()).toEqual(["it", "it.previous"]);
});

test("only one update runs at a time, and one that was killed is remembered", async () => {
  const { files } = filesOf();
  const journal = beginUpdate(files);
  journal.noteReplaced({ from: "0.1.0", to: "0.2.0", services: ["it"] });
  // The process of the test itself counts as one that was killed; another one runs.
  writeFileSync(files.journal, JSON.stringify({ pid: process.ppid }));
  expect(String(await failureOf(() => beginUpdate(files)))).toContain("Another update runs");
  // After a loss of power, another process may have its number.
  writeFileSync(files.journal, JSON.stringify({ pid: process.ppid, boot: "an earlier one" }));
  expect(beginUpdate(files).interrupted).toBeUndefined();
  const killed = { pid: 2 ** 22 + 1, replaced: { from: "0.1.0", to: "0.2.0", services: ["it"] } };
  writeFileSync(files.journal, JSON.stringify(killed));
  expect(beginUpdate(files).interrupted).toEqual(killed.replaced);
  // That one is killed in turn.
  expect(beginUpdate(files).interrupted).toEqual(killed.replaced);
  writeFileSync(files.journal, "{");
  const again = beginUpdate(files);
  expect(again.interrupted).toBeUndefined();
  again.end();
  expect(statSync(files.journal, { throwIfNoEntry: false })).toBeUndefined();
});

test("a path without a folder is not a release", async () => {
  const folder = join(tempFolder(), "missing");
  const failure = await failureOf(() => findRelease({ from: folder, version: undefined }));
  expect(String(failure)).toContain("is not a folder");
  mkdirSync(folder);
  expect(await (await findRelease({ from: folder, version: undefined })).open("a")).toBeUndefined();
});
