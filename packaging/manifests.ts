import { join } from "node:path";
import type { Target } from "../.ci/runtime.ts";
import { addressOf, executableName, fill, NAME, type Release, sha256, template } from "./release.ts";

const FORMULA_TARGETS = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] as const;
const WINGET_TARGETS = ["windows-x64", "windows-arm64"] as const;

/** Writes the formula for a tap of Homebrew. Returns its name. */
export async function writeFormula(release: Release): Promise<string[]> {
  const { repository, version } = release;
  const values = { repository, version, ...(await downloads(release, FORMULA_TARGETS)) };
  const file = `${NAME}.rb`;
  await Bun.write(join(release.folder, file), fill(await template(`homebrew/${file}`), values));
  return [file];
}

/** Writes the three manifests for winget-pkgs. Returns their names. */
export async function writeWinget(release: Release): Promise<string[]> {
  const { repository, version, description } = release;
  const [owner = ""] = repository.split("/");
  const identifier = `${owner}.${NAME}`;
  const values = {
    ...{ repository, version, owner, identifier },
    description: description.replaceAll(/["\\]/g, "\\$&"),
    ...(await downloads(release, WINGET_TARGETS)),
  };
  const files: string[] = [];
  for (const kind of ["version", "installer", "locale.en-US"]) {
    const file = `${identifier}${kind === "version" ? "" : `.${kind}`}.yaml`;
    await Bun.write(join(release.folder, file), fill(await template(`winget/${kind}.yaml`), values));
    files.push(file);
  }
  return files;
}

/** Writes the two scripts that install an executable, with the repository to download from. Returns their names. */
export async function writeScripts({ folder, repository }: Release): Promise<string[]> {
  const files = ["install.sh", "install.ps1"];
  for (const file of files) await Bun.write(join(folder, file), fill(await template(file), { repository }));
  return files;
}

/** Returns the address and the hash of each executable, by the names in the templates. */
async function downloads(release: Release, targets: readonly Target[]): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const target of targets) {
    const file = executableName(target);
    values[`url-${target}`] = addressOf(release, file);
    values[`sha256-${target}`] = await sha256(join(release.folder, file));
  }
  return values;
}
