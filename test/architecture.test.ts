import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EVERYONE_MAY_IMPORT, MAY_IMPORT } from "./support/layers.ts";

const root = resolve(import.meta.dir, "..");
const CORE_FORBIDDEN = /\bDate\.now\b|\bMath\.random\b|\bperformance\b|\bprocess\b/;

const files = [...new Bun.Glob("src/**/*.{ts,tsx}").scanSync(root)].filter((path) => !path.endsWith(".d.ts"));

/** Returns the folder directly below `src`, or the file there. */
function partOf(path: string): string {
  return relative("src", path).split("/")[0] ?? "";
}

function isOfPage(path: string): boolean {
  return partOf(path) === "dashboard" && !/\/(assets|bundle)\.ts$/.test(path);
}

const STATEMENT =
  /^(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

function importsOf(source: string): string[] {
  return [...source.matchAll(STATEMENT)].map((match) => match.slice(1).find(Boolean) ?? "");
}

function mayImport(path: string, specifier: string): boolean {
  const part = partOf(path);
  const rule = MAY_IMPORT[part];
  if (!rule) return false;
  if (!specifier.startsWith(".")) return rule.external.test(specifier);
  const target = relative(root, join(root, path, "..", specifier));
  if (EVERYONE_MAY_IMPORT.has(relative("src", target))) return true;
  if (!target.startsWith("src/")) return rule.ours.includes(target.split("/")[0] ?? "");
  const targetPart = partOf(target);
  return targetPart === part || rule.ours.includes(targetPart) || rule.ours.includes(relative("src", target));
}

test("every file imports only what the table of layers allows", async () => {
  expect(files.length).toBeGreaterThan(20);
  const wrong: string[] = [];
  for (const path of files) {
    for (const specifier of importsOf(await Bun.file(join(root, path)).text())) {
      if (!mayImport(path, specifier)) wrong.push(`${path} imports ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only the documentation of the routes imports the library that writes it", async () => {
  const knowing: string[] = [];
  for (const path of files) {
    const imports = importsOf(await Bun.file(join(root, path)).text());
    if (imports.some((name) => name === "zod-openapi")) knowing.push(path);
  }
  expect(knowing).toEqual(["src/http/docs/document.ts"]);
});

test("the tests of imports see every kind of import, type imports and lazy ones too", () => {
  const source =
    'import a,\n { b } from "1";\nimport type { C } from "2";\nexport * from "3";\nawait import("4");';
  expect(importsOf(source)).toEqual(["1", "2", "3", "4"]);
});

test("the table of layers refuses forbidden imports", () => {
  expect(mayImport("src/relay/relay.ts", "../store/store.ts")).toBe(false);
  expect(mayImport("src/relay/relay.ts", "bun")).toBe(false);
  expect(mayImport("src/http/app.ts", "../store/sqlite/open.ts")).toBe(false);
  expect(mayImport("src/http/app.ts", "../store/store.ts")).toBe(true);
  expect(mayImport("src/new-folder/file.ts", "../errors.ts")).toBe(false);
});

/** The source files that each source file imports, for a type or at run time. */
async function importGraph(): Promise<Map<string, string[]>> {
  const graph = new Map<string, string[]>();
  for (const path of files) {
    const relatives = importsOf(await Bun.file(join(root, path)).text()).filter((name) =>
      name.startsWith("."),
    );
    graph.set(
      path,
      relatives.map((name) => join(dirname(path), name)),
    );
  }
  return graph;
}

/** Returns each cycle that a walk through the graph meets. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, above: readonly string[]) => {
    const at = above.indexOf(path);
    if (at >= 0) cycles.push([...above.slice(at), path].join(" > "));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...above, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return cycles;
}

test("no files import each other in a cycle, not even types", async () => {
  expect(
    cyclesOf(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
  ).toEqual(["b > c > b"]);
  expect(cyclesOf(await importGraph())).toEqual([]);
});

test("no folder of src has more than 20 files directly in it", () => {
  const counts = Object.groupBy(new Bun.Glob("src/**/*").scanSync(root), (path) => dirname(path));
  const full = Object.entries(counts).filter(([, inFolder = []]) => inFolder.length > 20);
  expect(full.map(([folder]) => folder)).toEqual([]);
});

test("every unit test is in the folder of its subject", () => {
  const folders = new Set(files.map((path) => dirname(path)));
  const tests = [...new Bun.Glob("test/**/*.test.ts").scanSync(root)];
  const unit = tests.filter((path) => !/^test\/(bench|chaos|docs|e2e|simulate|upstream)\//.test(path));
  expect(unit.filter((path) => !folders.has(dirname(path).replace(/^test/, "src")))).toEqual([]);
});

test("the dashboard's page imports only types of the wire shapes", async () => {
  const shapes = /^import(?! type)[^;]*?"[^"]*\/http\/[^"]*"/m;
  for (const path of files.filter((file) => partOf(file) === "dashboard")) {
    expect(await Bun.file(join(root, path)).text(), path).not.toMatch(shapes);
  }
});

test("the core uses no clock and no random numbers of its own", async () => {
  for (const path of files.filter((file) => partOf(file) === "relay")) {
    const code = (await Bun.file(join(root, path)).text()).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(code.match(CORE_FORBIDDEN)?.[0], path).toBeUndefined();
  }
});

test("only the settings and the command line read the environment", async () => {
  // A browser has no environment. A page names it only in texts.
  const reads = files.filter(
    (file) => !["config", "cli", "main.ts"].includes(partOf(file)) && !isOfPage(file),
  );
  for (const path of reads) {
    expect(await Bun.file(join(root, path)).text(), path).not.toMatch(
      /process\.env|Bun\.env|import\.meta\.env/,
    );
  }
});

test("no file has more than 300 lines", async () => {
  const linesMax = 300;
  const paths = [...files, ...new Bun.Glob("test/**/*.ts").scanSync(root)];
  const long: string[] = [];
  for (const path of paths) {
    const lines = (await Bun.file(join(root, path)).text()).trimEnd().split("\n").length;
    if (lines > linesMax) long.push(`${path}: ${lines}`);
  }
  expect(long).toEqual([]);
});

test("the parts of a cluster are loaded only where --nats is given", async () => {
  const isOfCluster = (path: string) => partOf(path) === "cluster" || /^src\/server\/cluster[.-]/.test(path);
  const loading = /^(?:import|export)(?! type)[^;]*?"[^"]*(?:\/cluster(?:[-/][^"]*)?\.ts|@nats-io\/[^"]*)"/m;
  expect('import { a } from "./cluster.ts";').toMatch(loading);
  expect('import type { A } from "./cluster.ts";').not.toMatch(loading);
  for (const path of files.filter((file) => !isOfCluster(file))) {
    expect(await Bun.file(join(root, path)).text(), path).not.toMatch(loading);
  }
});

test("the top level has no files but the agreed ones", async () => {
  const patterns = (await Bun.file(join(root, ".gitignore")).text()).trim().split("\n");
  const ignored = patterns.map((pattern) => new Bun.Glob(pattern.replace(/\/$/, "")));
  const agreed = new Set([
    ...[
      "package.json",
      "bunfig.toml",
      "tsconfig.json",
      "src",
      "drizzle",
      "packaging",
      "test",
      "Dockerfile",
      "README.md",
    ],
    ...[
      "bun.lock",
      "biome.json",
      "docker-compose.yml",
      "LICENSE",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "docs",
    ],
    ...[".ci", ".github", ".gitignore", ".dockerignore"],
  ]);
  const outside = (name: string) =>
    name === ".git" || ignored.some((pattern) => pattern.match(name)) || agreed.has(name);
  expect(readdirSync(root).filter((name) => !outside(name))).toEqual([]);
});
