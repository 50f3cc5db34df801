import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Target } from "../../.ci/runtime.ts";
import { executableName, fill, NAME, type Release, ROOT, template } from "../release.ts";
import { packageUnits, SETTINGS_FOLDER } from "./units.ts";

/** The targets that have packages: those of systems with glibc and systemd. */
export const LINUX_TARGETS = ["linux-x64", "linux-arm64"] as const satisfies readonly Target[];
export type LinuxTarget = (typeof LINUX_TARGETS)[number];

/** The settings files, which an operator edits. */
export const SETTINGS_FILES = ["server.env", "agent.env"].map((file) => `${SETTINGS_FOLDER}/${file}`);

/** Writes the files of a package below a folder, as they are installed. `others` are further files of mode 644. */
export async function stage(
  release: Release,
  target: LinuxTarget,
  tree: string,
  others: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const executable = join(tree, "usr/bin", NAME);
  await mkdir(dirname(executable), { recursive: true });
  await copyFile(join(release.folder, executableName(target)), executable);
  await chmod(executable, 0o755);
  for (const [name, text] of Object.entries(packageUnits()))
    await write(join(tree, "usr/lib/systemd/system", name), text, 0o644);
  for (const path of SETTINGS_FILES)
    await write(join(tree, path), await template(`linux/${path.split("/").at(-1)}`), 0o600);
  for (const [path, content] of Object.entries(others)) await write(join(tree, path), content, 0o644);
  for (const folder of new Bun.Glob("**/").scanSync({ cwd: tree, onlyFiles: false, absolute: true }))
    if (folder.endsWith("/")) await chmod(folder, 0o755);
}

/** Writes a file and its folders, whatever the umask. */
export async function write(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(path, content);
  await chmod(path, mode);
}

/** Returns a script of a package with the parts that all of them share. */
export async function script(file: string, values: Readonly<Record<string, string>> = {}): Promise<string> {
  return fill(await template(`linux/${file}`), {
    setup: await template("linux/setup.sh"),
    hint: await template("linux/hint.sh"),
    units: Object.keys(packageUnits()).join(" "),
    ...values,
  });
}

export async function licenseText(): Promise<string> {
  return await Bun.file(join(ROOT, "LICENSE")).text();
}

/** Returns the version as packages of Linux order it: a pre-release comes before its release. */
export function packageVersion({ version }: Release): string {
  return version.replace("-", "~");
}
