import { existsSync } from "node:fs";
import { join } from "node:path";
import { TARGETS, type Target } from "../.ci/runtime.ts";
import { description, license, name, version } from "../package.json";

export const ROOT = join(import.meta.dir, "..");
export const NAME = name;
export const SUMS = "SHA256SUMS";

/** The files of one version, which packages are made from. */
export interface Release {
  version: string;
  description: string;
  license: string;
  /** Such as `owner/name`, on GitHub. */
  repository: string;
  /** Has the executables. The packages are written here. */
  folder: string;
  /** Packages for tests are compressed fast, and badly. */
  isFast: boolean;
}

/** Returns the release whose executables are in the folder. Throws if the repository is not a name of GitHub. */
export function describeRelease(folder: string, repository: string, isFast: boolean): Release {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/.test(repository))
    throw new Error("give the repository as <owner>/<name>, with --repository or in GITHUB_REPOSITORY");
  return { version, description, license, repository, folder, isFast };
}

/** Returns the file name of a target's executable, as `.ci/build.ts` writes it. */
export function executableName(target: Target): string {
  return `${NAME}-${target}${target.startsWith("windows-") ? ".exe" : ""}`;
}

/** Returns the targets whose executables are there. */
export function targetsIn(folder: string): Target[] {
  return TARGETS.filter((target) => existsSync(join(folder, executableName(target))));
}

/** Returns the address of a file of the release. */
export function addressOf({ repository, version }: Release, file: string): string {
  return `https://github.com/${repository}/releases/download/v${version}/${file}`;
}

/** Returns the hash of a file, in lower-case hexadecimal digits. */
export async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}

/** Returns a template with each `{{name}}` replaced. Throws if a name has no value. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{([\w-]+)\}\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`a template names ${key}, which has no value`);
    return value;
  });
}

/** Returns the text of a file of this folder. */
export async function template(path: string): Promise<string> {
  return await Bun.file(join(import.meta.dir, path)).text();
}

/** Runs a program. Throws with its output if it fails. */
export async function run(command: string[], env: Record<string, string> = {}): Promise<string> {
  const [program = ""] = command;
  if (Bun.which(program) === null) throw new Error(`${program} is missing`);
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${err}${out}`);
  return out;
}
