import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { TARGETS } from "../.ci/runtime.ts";
import { buildDeb } from "./linux/deb.ts";
import { buildRpm } from "./linux/rpm.ts";
import { LINUX_TARGETS } from "./linux/stage.ts";
import { writeFormula, writeScripts, writeWinget } from "./manifests.ts";
import { buildNpm } from "./npm/npm.ts";
import { describeRelease, executableName, type Release, ROOT, SUMS, sha256, targetsIn } from "./release.ts";

const USAGE = `usage: bun run packages [--repository <owner>/<name>] [--only <kind>]... [--from <folder>] [--partial] [--fast]

Makes the packages of a release from the executables that \`bun run build --all\` has left in dist, and adds their hashes to
dist/SHA256SUMS. Those for npm are in dist/npm, and are not part of the release on GitHub.

--repository <owner>/<name>  the repository of the release on GitHub. Default: GITHUB_REPOSITORY
--only <kind>                deb, rpm, npm, homebrew, winget or scripts. Default: all of them
--from <folder>              the folder of the executables. Default: dist
--partial                    skips the packages of targets without an executable
--fast                       compresses fast, for tests`;

interface Work {
  release: Release;
  scratch: string;
  isPartial: boolean;
}

/** Each returns the names of the files that it has made for the release. */
const KINDS: Record<string, (work: Work) => Promise<string[]>> = {
  deb: (work) => forLinux(work, buildDeb),
  rpm: (work) => forLinux(work, buildRpm),
  async npm({ release, scratch, isPartial }) {
    for (const path of await buildNpm(release, targetsOf(release, TARGETS, isPartial), scratch)) report(path);
    return [];
  },
  homebrew: ({ release }) => writeFormula(release),
  winget: ({ release }) => writeWinget(release),
  scripts: ({ release }) => writeScripts(release),
};

async function forLinux({ release, scratch, isPartial }: Work, build: typeof buildDeb): Promise<string[]> {
  const files: string[] = [];
  for (const target of targetsOf(release, LINUX_TARGETS, isPartial))
    files.push(await build(release, target, scratch));
  return files;
}

function targetsOf<Name extends (typeof TARGETS)[number]>(
  { folder }: Release,
  targets: readonly Name[],
  isPartial: boolean,
): Name[] {
  const found = targetsIn(folder);
  const missing = targets.filter((target) => !found.includes(target));
  if (missing[0] !== undefined && !isPartial)
    throw new Error(
      `${join(folder, executableName(missing[0]))} is missing: run \`bun run build --all\` first, or leave it out with --partial`,
    );
  if (missing.length === targets.length)
    throw new Error(
      `${folder} has no executable to package: run \`bun run build --target ${targets[0]}\`, or the like, first`,
    );
  return targets.filter((target) => found.includes(target));
}

function report(file: string): void {
  console.log(file);
}

/** Adds the files to SHA256SUMS, in the form that `sha256sum -c` reads. */
async function addChecksums(folder: string, files: readonly string[]): Promise<void> {
  const path = join(folder, SUMS);
  const before = (await Bun.file(path).exists()) ? await Bun.file(path).text() : "";
  const isReplaced = (line: string) => files.some((file) => line.endsWith(`  ${file}`));
  const lines = before.split("\n").filter((line) => line !== "" && !isReplaced(line));
  for (const file of files) lines.push(`${await sha256(join(folder, file))}  ${file}`);
  await Bun.write(path, lines.map((line) => `${line}\n`).join(""));
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      repository: { type: "string", default: process.env["GITHUB_REPOSITORY"] ?? "" },
      only: { type: "string", multiple: true, default: Object.keys(KINDS) },
      from: { type: "string", default: join(ROOT, "dist") },
      partial: { type: "boolean", default: false },
      fast: { type: "boolean", default: false },
    },
  });
  const kinds = values.only.map((name) => {
    const kind = KINDS[name];
    if (!kind) throw new Error(`unknown kind of package: ${name}`);
    return kind;
  });
  return {
    kinds,
    partial: values.partial,
    release: describeRelease(resolve(values.from), values.repository, values.fast),
  };
}

async function build({ kinds, partial, release }: ReturnType<typeof readOptions>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "chatgpt-api-server-packages-"));
  try {
    const files: string[] = [];
    for (const kind of kinds) files.push(...(await kind({ release, scratch, isPartial: partial })));
    await addChecksums(release.folder, files);
    files.forEach(report);
  } finally {
    await rm(scratch, { force: true, recursive: true });
  }
}

function fail(error: unknown, exitCode: number): never {
  console.error(`packages: ${error instanceof Error ? error.message : String(error)}`);
  if (exitCode === 2) console.error(`\n${USAGE}`);
  process.exit(exitCode);
}

let options: ReturnType<typeof readOptions> | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  fail(error, 2);
}
await build(options).catch((error: unknown) => fail(error, 1));
