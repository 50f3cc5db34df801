import { chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { signAdHoc } from "./codesign.ts";
import { dashboardPlugin } from "./dashboard.ts";
import { librariesPlugin } from "./libraries.ts";
import { installRuntime, isTarget, TARGETS, type Target } from "./runtime.ts";

const NAME = "chatgpt-api-server";
const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
const SUMS = join(DIST, "SHA256SUMS");

const USAGE = `usage: bun run build [--all | --target <name>]

Without arguments: dist/${NAME} for this machine.
--all              dist/${NAME}-<target> for every target, and dist/SHA256SUMS
--target <name>    dist/${NAME}-<target> for one of ${TARGETS.join(", ")}`;

/** Undefined stands for the machine that builds. */
function readTargets(args: string[]): (Target | undefined)[] {
  const { values } = parseArgs({
    args,
    options: { all: { type: "boolean" }, target: { type: "string" } },
  });
  const { all, target } = values;
  if (all && target !== undefined) throw new Error("--all and --target exclude each other");
  if (all) return [...TARGETS];
  if (target === undefined) return [undefined];
  if (!isTarget(target)) throw new Error(`unknown target: ${target}`);
  return [target];
}

function outfileOf(target: Target | undefined): string {
  const suffix = target === undefined ? "" : `-${target}`;
  const windows = target === undefined ? process.platform === "win32" : target.startsWith("windows-");
  return join(DIST, `${NAME}${suffix}${windows ? ".exe" : ""}`);
}

/**
 * One executable. It takes nothing from the folder it is started in: by default Bun's would read `.env`
 * there, and run what `bunfig.toml` names as `preload`. The level `strict` refuses code from outside the
 * executable, hence `BUN_OPTIONS=--preload` and the inspector too; it needs the form with `=`.
 */
async function compile(target: Target | undefined, outfile: string, scratch: string): Promise<void> {
  const fresh = join(scratch, basename(outfile));
  const executablePath = target && (await installRuntime(target, join(scratch, `bun-${target}`)));
  await Bun.build({
    // The second is what a thread runs. Their names are all that is left of their paths, so that the one finds the other.
    entrypoints: [join(ROOT, "src/main.ts"), join(ROOT, "src/store/sqlite/checkpoint-thread.ts")],
    naming: { entry: "[name].[ext]" },
    compile: {
      ...(target !== undefined && { target: `bun-${target}` as const }),
      ...(executablePath !== undefined && { executablePath }),
      outfile: fresh,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
      execArgv: ["--disallow-code-generation-from-strings=strict"],
    },
    plugins: [await dashboardPlugin(ROOT), await librariesPlugin(ROOT)],
    define: {
      "process.env.NODE_ENV": JSON.stringify("production"),
      // Only a workflow of GitHub has it: `update` fetches releases from there.
      "process.env.RELEASE_REPOSITORY": JSON.stringify(process.env["GITHUB_REPOSITORY"] ?? ""),
    },
    target: "bun",
    // With the other format, Bun freezes the building machine's folder into the executable.
    format: "esm",
    minify: true,
    bytecode: true,
    sourcemap: "linked",
  });
  // For arm64, Bun signs it.
  if (target === "darwin-x64") await signAdHoc(fresh, NAME);
  await chmod(fresh, 0o755);
  // Only the executable leaves the scratch folder: the map beside it is embedded too, so that a stack
  // trace shows lines of the sources.
  await rename(fresh, outfile);
}

async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}

/** In the form that `sha256sum -c` reads from within `dist`. */
async function writeChecksums(outfiles: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const outfile of outfiles) lines.push(`${await sha256(outfile)}  ${relative(DIST, outfile)}\n`);
  await Bun.write(SUMS, lines.join(""));
}

async function build(targets: readonly (Target | undefined)[]): Promise<void> {
  const all = targets.length > 1;
  const outfiles = targets.map(outfileOf);
  await mkdir(DIST, { recursive: true });
  // What an earlier build left must neither pass for the product of a failed one nor be released with it.
  // The executable for this machine stays: the image and the tests need it, and the workflow does not release it.
  const own = basename(outfileOf(undefined));
  const others = (await readdir(DIST)).filter((file) => file !== own);
  const earlier = all ? others.map((file) => join(DIST, file)) : outfiles;
  for (const path of [...earlier, SUMS]) await rm(path, { force: true, recursive: true });
  const scratch = await mkdtemp(join(DIST, ".building-"));
  try {
    for (const [index, outfile] of outfiles.entries()) {
      await compile(targets[index], outfile, scratch);
      const megabytes = (Bun.file(outfile).size / 1e6).toFixed(1);
      console.log(`${relative(ROOT, outfile)}  ${megabytes} MB`);
    }
  } finally {
    await rm(scratch, { force: true, recursive: true });
  }
  if (all) await writeChecksums(outfiles);
}

function fail(error: unknown, exitCode: number): never {
  if (error instanceof AggregateError) for (const log of error.errors) console.error(log);
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  if (exitCode === 2) console.error(`\n${USAGE}`);
  process.exit(exitCode);
}

let targets: (Target | undefined)[] = [];
try {
  targets = readTargets(process.argv.slice(2));
} catch (error) {
  fail(error, 2);
}
// The paths in stack traces are relative to the working directory.
process.chdir(ROOT);
await build(targets).catch((error: unknown) => fail(error, 1));
