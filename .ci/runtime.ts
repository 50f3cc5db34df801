import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";

const PIN = join(import.meta.dir, "bun");

export const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;
export type Target = (typeof TARGETS)[number];

export function isTarget(name: string): name is Target {
  return TARGETS.some((target) => target === name);
}

/**
 * Installs Bun for a target in a folder, and returns the path of its executable. The package comes from the npm
 * registry; npm compares its hash with `.ci/bun/package-lock.json`. Left to itself, Bun would download the same
 * file without comparing.
 */
export async function installRuntime(target: Target, folder: string): Promise<string> {
  await cp(PIN, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const [os = "", cpu = "", libc] = target.replace("windows", "win32").split("-");
  const only = [`--os=${os}`, `--cpu=${cpu}`, ...(os === "linux" ? [`--libc=${libc ?? "glibc"}`] : [])];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exitCode, stderr } = Bun.spawnSync([npm, "ci", "--prefix", folder, ...only, ...flags]);
  if (exitCode !== 0) throw new Error(`npm cannot install Bun for ${target}: ${stderr.toString().trim()}`);
  const packages = join(folder, "node_modules/@oven");
  const [name, ...others] = await readdir(packages);
  if (name === undefined || others.length > 0) throw new Error(`npm installed no single Bun for ${target}`);
  return join(packages, name, "bin", os === "win32" ? "bun.exe" : "bun");
}
