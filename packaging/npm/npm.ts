import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TARGETS, type Target } from "../../.ci/runtime.ts";
import { executableName, fill, NAME, type Release, ROOT, run, template } from "../release.ts";

/**
 * Builds the packages for npm: one for each target with nothing but its executable, and one with the launcher, of which
 * they are optional dependencies. npm installs only the one that fits the machine. Returns the paths of the tarballs below
 * the folder of the release, the launcher last, because it must be published last.
 */
export async function buildNpm(
  release: Release,
  targets: readonly Target[],
  scratch: string,
): Promise<string[]> {
  await mkdir(join(release.folder, "npm"), { recursive: true });
  const files: string[] = [];
  for (const target of targets) files.push(await buildPlatform(release, target, scratch));
  files.push(await buildLauncher(release, scratch));
  return files;
}

/** Returns the fields that npm compares with the machine; see `process.platform` and `process.arch`. */
function constraints(target: Target) {
  const [os = "", cpu = "", libc] = target.replace("windows", "win32").split("-");
  return { os: [os], cpu: [cpu], ...(os === "linux" && { libc: [libc ?? "glibc"] }) };
}

const packageName = (target: Target) => `${NAME}-${target}`;

async function buildPlatform(release: Release, target: Target, scratch: string): Promise<string> {
  const folder = join(scratch, "npm", packageName(target));
  const file = `bin/${NAME}${target.startsWith("windows-") ? ".exe" : ""}`;
  await mkdir(join(folder, "bin"), { recursive: true });
  await copyFile(join(release.folder, executableName(target)), join(folder, file));
  await chmod(join(folder, file), 0o755);
  const readme = `The executable of ${NAME} for ${target}. Install ${NAME}, which depends on this package.\n`;
  return pack(release, folder, readme, {
    name: packageName(target),
    description: `The executable of ${NAME} for ${target}`,
    ...constraints(target),
    files: ["bin"],
    // Yarn must not leave it in an archive, where it could not be run.
    preferUnplugged: true,
  });
}

async function buildLauncher(release: Release, scratch: string): Promise<string> {
  const folder = join(scratch, "npm", NAME);
  await mkdir(join(folder, "bin"), { recursive: true });
  const launcher = `bin/${NAME}.cjs`;
  await Bun.write(join(folder, launcher), await template("npm/launcher.cjs"));
  await chmod(join(folder, launcher), 0o755);
  const { repository, description, version } = release;
  const readme = fill(await template("npm/README.md"), { repository, description });
  return pack(release, folder, readme, {
    name: NAME,
    description,
    keywords: [
      "openai",
      "anthropic",
      "llm",
      "gateway",
      "proxy",
      "ollama",
      "llama.cpp",
      "vllm",
      "self-hosted",
    ],
    bin: { [NAME]: launcher },
    files: ["bin"],
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(TARGETS.map((target) => [packageName(target), version])),
  });
}

async function pack(
  release: Release,
  folder: string,
  readme: string,
  own: { name: string; [field: string]: unknown },
): Promise<string> {
  const { repository, version, license } = release;
  const { name, ...others } = own;
  const manifest = {
    ...{ name, version },
    ...others,
    license,
    homepage: `https://github.com/${repository}#readme`,
    bugs: `https://github.com/${repository}/issues`,
    repository: { type: "git", url: `git+https://github.com/${repository}.git` },
    publishConfig: { access: "public" },
  };
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await Bun.write(join(folder, "README.md"), readme);
  await copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  const destination = join(release.folder, "npm");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  await run([npm, "pack", folder, "--pack-destination", destination, "--ignore-scripts", "--loglevel=error"]);
  return `npm/${name}-${version}.tgz`;
}
