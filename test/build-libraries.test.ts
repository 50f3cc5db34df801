import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { librariesPlugin } from "../.ci/libraries.ts";
import { createSigstore } from "./support/update/signed-statement.ts";

const ROOT = join(import.meta.dir, "..");
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-libraries-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles a module of the sources as the build does, apart from the executable, and imports it. */
async function bundled<Module>(path: string): Promise<{ module: Module; files: string[] }> {
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, path)],
    plugins: [await librariesPlugin(ROOT)],
    target: "bun",
    format: "esm",
    minify: true,
    outdir: folder,
  });
  const entry = outputs.find(({ kind }) => kind === "entry-point")?.path ?? "";
  return { module: (await import(entry)) as Module, files: outputs.map(({ path: file }) => file) };
}

test("a statement about an executable is verified by the bundled libraries of Sigstore", async () => {
  type Sigstore = typeof import("../src/update/sigstore.ts");
  const { module, files } = await bundled<Sigstore>("src/update/sigstore.ts");
  expect(files).toContainEqual(expect.stringMatching(/sigstore-\w+\.js$/));
  const { root, signStatement } = await createSigstore();
  const sha256 = "ab".repeat(32);
  const workflow = "https://github.com/me/it/.github/workflows/release.yml@refs/tags/v0.2.0";
  const bundle = JSON.stringify(await signStatement({ hashes: [sha256], workflow }));
  expect(module.verifyBundle(bundle, { sha256, repository: "me/it" }, root)).toBeUndefined();
  expect(module.verifyBundle(bundle, { sha256, repository: "me/other" }, root)).toContain("identity");
});

test("a YAML file keeps its comments when the bundled library changes it", async () => {
  type Formats = typeof import("../src/cli/client/formats.ts");
  const { module, files } = await bundled<Formats>("src/cli/client/formats.ts");
  expect(files).toContainEqual(expect.stringMatching(/yaml-\w+\.js$/));
  const { yaml } = module.FORMATS;
  expect(yaml.edit("# mine\nmodel: a\n", { model: "a" }, { model: "b" })).toBe("# mine\nmodel: b\n");
});
