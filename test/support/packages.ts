import { chmod, copyFile, link } from "node:fs/promises";
import { join } from "node:path";
import { isTarget, TARGETS, type Target } from "../../.ci/runtime.ts";
import { executableName } from "../../packaging/release.ts";
import { EXECUTABLE } from "./executable.ts";

const ROOT = join(import.meta.dir, "../..");

/** The repository that packages of tests name. It does not exist. */
export const REPOSITORY = "example-owner/chatgpt-api-server";

/** The target of this machine. Tests of packages do not run on a Linux with musl. */
export function ownTarget(): Target {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const target = `${os}-${process.arch}`;
  if (!isTarget(target)) throw new Error(`no executable is built for ${target}`);
  return target;
}

/** Puts the built executable in a folder, as the one for this machine. */
export async function addExecutable(folder: string): Promise<string> {
  const path = join(folder, executableName(ownTarget()));
  await link(EXECUTABLE, path).catch(() => copyFile(EXECUTABLE, path));
  return path;
}

/** Puts a script that prints a version in a folder, as the executable of each target. */
export async function addStubs(
  folder: string,
  targets: readonly Target[] = TARGETS,
  version = "0.0.1",
): Promise<void> {
  for (const target of targets) {
    const path = join(folder, executableName(target));
    await Bun.write(path, `#!/bin/sh\n# ${target}\necho "chatgpt-api-server ${version}"\n`);
    await chmod(path, 0o755);
  }
}

/** Makes packages from the executables in a folder. Returns the names of the files. */
export async function buildPackages(folder: string, ...kinds: string[]): Promise<string[]> {
  const flags = ["--from", folder, "--repository", REPOSITORY, "--partial", "--fast"];
  const only = kinds.flatMap((kind) => ["--only", kind]);
  const child = Bun.spawn([process.execPath, join(ROOT, "packaging/build.ts"), ...flags, ...only], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`no packages were made: ${err}`);
  return out.trim().split("\n");
}
