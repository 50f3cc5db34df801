import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { packages } from "../.ci/bun/package-lock.json";
import { TARGETS } from "../.ci/runtime.ts";
import { packageManager } from "../package.json";
import { executableName, SUMS } from "../packaging/release.ts";
import { addStubs, buildPackages } from "./support/packages.ts";
import { testWith } from "./support/programs.ts";
import { tempFolder } from "./support/store.ts";

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

test("packages are not made without any executable, even if some may be missing", async () => {
  await expect(buildPackages(tempFolder(), "npm")).rejects.toThrow("has no executable to package");
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

interface Job {
  needs?: string | string[];
  permissions?: Record<string, string>;
  steps: { name?: string; uses?: string; run?: string; with?: Record<string, string> }[];
}

const { jobs } = parse(read(".github/workflows/release.yml")) as { jobs: Record<string, Job> };

/** Returns the position of the first step of a job that matches. */
function stepOf(job: string, pattern: RegExp): number {
  const at = (jobs[job]?.steps ?? []).findIndex(({ uses, run }) => pattern.test(uses ?? run ?? ""));
  expect(at, `${job}: ${pattern}`).toBeGreaterThanOrEqual(0);
  return at;
}

test("the release workflow uploads every file that the packages consist of, and attests it", async () => {
  const folder = tempFolder();
  await addStubs(folder);
  const kinds = ["deb", "homebrew", "winget", "scripts"].filter(
    (kind) => kind !== "deb" || Bun.which("dpkg-deb") !== null,
  );
  const files = [...(await buildPackages(folder, ...kinds)), SUMS, ...TARGETS.map(executableName)];
  const upload = jobs["executables"]?.steps[stepOf("executables", /^actions\/upload-artifact/)];
  const globs = (upload?.with?.["path"] ?? "")
    .trim()
    .split("\n")
    .map((path) => new Bun.Glob(path));
  const isUploaded = (file: string) => globs.some((glob) => glob.match(`dist/${file}`));
  expect(files.filter((file) => !isUploaded(file))).toEqual([]);
  // The executable of the tests, and what goes to npm.
  expect(["chatgpt-api-server", "npm/chatgpt-api-server-0.1.0.tgz"].filter(isUploaded)).toEqual([]);
  const named =
    read("docs/install.md").match(/\bchatgpt-api-server[\w-]*\.(deb|rpm|rb|exe)\b|\binstall\.(sh|ps1)\b/g) ??
    [];
  const known = [...files, ...files.map((file) => file.replace(/\.deb$/, ".rpm"))];
  expect(named.length).toBeGreaterThan(5);
  if (kinds.includes("deb")) expect(named.filter((file) => !known.includes(file))).toEqual([]);
  const made = stepOf("executables", /bun run packages/);
  expect(made).toBeGreaterThan(stepOf("executables", /bun run build --all/));
  expect(stepOf("executables", /^sha256sum -c/)).toBeGreaterThan(made);
  const attested = stepOf("executables", /^actions\/attest-build-provenance/);
  expect(attested).toBeGreaterThan(made);
  expect(jobs["executables"]?.steps[attested]?.with).toEqual({ "subject-checksums": "dist/SHA256SUMS" });
});

test("nothing is published before the files were tried on macOS, on Windows and under systemd", () => {
  expect(jobs["release"]?.needs).toEqual(["macos", "windows", "debian"]);
  for (const job of ["npm", "image"]) expect(jobs[job]?.needs).toBe("release");
  stepOf("macos", /sh install\.sh/);
  stepOf("windows", /install\.ps1/);
  stepOf("debian", /apt-get install[\s\S]*systemctl start[\s\S]*\/health[\s\S]*purge/);
  expect(jobs["npm"]?.permissions).toEqual({ "id-token": "write" });
});

testWith(
  "bash",
  "the workflow publishes to npm what is missing there, the launcher last, and a pre-release as next",
  async (bash) => {
    const folder = tempFolder();
    const names = ["chatgpt-api-server", ...TARGETS.map((target) => `chatgpt-api-server-${target}`)];
    const script = jobs["npm"]?.steps[stepOf("npm", /npm publish/)]?.run ?? "";
    const npm = `#!/bin/sh
if [ "$1" = view ]; then [ "$2" != "chatgpt-api-server-linux-x64@$KNOWN" ] || echo "$KNOWN"; exit 0; fi
echo "$@" >>published\n`;
    await Bun.write(join(folder, "bin/npm"), npm);
    chmodSync(join(folder, "bin/npm"), 0o755);
    const publish = async (version: string) => {
      const cwd = join(folder, version);
      for (const name of names) await Bun.write(join(cwd, `${name}-${version}.tgz`), "");
      const env = {
        PATH: `${folder}/bin:${process.env["PATH"]}`,
        GITHUB_REF_NAME: `v${version}`,
        KNOWN: version,
      };
      const { exitCode, stderr } = Bun.spawnSync([bash, "-e", "-c", script], { cwd, env });
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      return (await Bun.file(join(cwd, "published")).text()).trimEnd().split("\n");
    };
    const lines = await publish("1.2.3");
    expect(lines).toHaveLength(names.length - 1);
    expect(lines.at(-1)).toBe(
      "publish ./chatgpt-api-server-1.2.3.tgz --provenance --access public --tag latest",
    );
    expect(lines.some((line) => line.includes("linux-x64-1"))).toBeFalse();
    const early = await publish("1.3.0-rc.1");
    expect(early.every((line) => line.endsWith("--provenance --access public --tag next"))).toBeTrue();
  },
);

test("the image is built with a Bun of its own for each architecture, whose hashes npm knows", () => {
  const builds = jobs["image"] as Job & { strategy: { matrix: { include: { arch: string }[] } } };
  expect(builds.strategy.matrix.include.map(({ arch }) => arch)).toEqual(["amd64", "arm64"]);
  for (const name of ["bun-linux-x64", "bun-linux-aarch64"] as const)
    expect(packages[`node_modules/@oven/${name}`]).toMatchObject({ os: ["linux"], libc: ["glibc"] });
  // Nothing in it names an architecture: the base image is an index of images.
  expect(read("Dockerfile")).not.toMatch(/\b(amd64|x64|arm64|aarch64|x86_64|--platform)\b/);
});
