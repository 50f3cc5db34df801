import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packages } from "../.ci/bun/package-lock.json";
import { packageManager } from "../package.json";

const ROOT = join(import.meta.dir, "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

test("releases are built with the Bun that the sources are tested with, and npm knows the hash of each of its packages", () => {
  const { "": own, ...installed } = packages;
  expect(packageManager).toBe(`bun@${own.dependencies.bun}`);
  for (const [path, entry] of Object.entries(installed))
    expect({ path, ...entry }).toMatchObject({
      version: own.dependencies.bun,
      integrity: expect.stringMatching(/^sha512-/),
    });
});

test("workflows use actions by their commit, and the image is built on an image by its digest", () => {
  const workflows = readdirSync(join(ROOT, ".github/workflows"));
  expect(workflows).toContain("release.yml");
  const uses = workflows.flatMap((file) => read(`.github/workflows/${file}`).match(/uses: .*/g) ?? []);
  expect(uses.filter((line) => !/^uses: \S+@[0-9a-f]{40} # v\d/.test(line))).toEqual([]);
  const bases = read("Dockerfile").match(/^FROM (?!scratch).*/gm) ?? [];
  expect(bases).toEqual([expect.stringMatching(/^FROM \S+@sha256:[0-9a-f]{64} AS build$/)]);
});

test("the bill of materials lists the libraries of package.json and Bun, each with a hash", () => {
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, join(ROOT, ".ci/sbom.ts")]);
  expect(exitCode).toBe(0);
  const { components } = JSON.parse(stdout.toString()) as {
    components: { name: string; hashes: object[] }[];
  };
  const names = components.map(({ name }) => name);
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: object };
  expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), "bun", "@oven/bun-linux-x64"]));
  expect(components.filter(({ hashes }) => hashes?.length !== 1)).toEqual([]);
});
