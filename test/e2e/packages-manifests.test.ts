import { expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { TARGETS } from "../../.ci/runtime.ts";
import { description, version } from "../../package.json";
import { executableName, SUMS, sha256 } from "../../packaging/release.ts";
import { addStubs, buildPackages, REPOSITORY } from "../support/packages.ts";
import { testWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

async function make(...kinds: string[]): Promise<{ folder: string; files: string[] }> {
  const folder = tempFolder();
  await addStubs(folder);
  return { folder, files: await buildPackages(folder, ...kinds) };
}

const addressOf = (file: string) => `https://github.com/${REPOSITORY}/releases/download/v${version}/${file}`;

test("the formula of Homebrew has the address and the hash of four executables", async () => {
  const { folder, files } = await make("homebrew");
  expect(files).toEqual(["chatgpt-api-server.rb"]);
  const formula = await Bun.file(join(folder, "chatgpt-api-server.rb")).text();
  const found = [...formula.matchAll(/url "(.*)"\n\s+sha256 "(.*)"/g)].map(([, url, hash]) => [url, hash]);
  const targets = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] as const;
  const wanted = targets.map(async (target) => [
    addressOf(executableName(target)),
    await sha256(join(folder, executableName(target))),
  ]);
  expect(found).toEqual(await Promise.all(wanted));
  expect(formula).toContain(`version "${version}"`);
});

testWith("ruby", "Ruby reads the formula of Homebrew", async (ruby) => {
  const { folder } = await make("homebrew");
  const child = Bun.spawnSync([ruby, "-c", join(folder, "chatgpt-api-server.rb")]);
  expect([child.stderr.toString(), child.exitCode]).toEqual(["", 0]);
});

/** The rules of winget for the fields that the manifests have. */
const Shared = z.strictObject({
  PackageIdentifier: z.string().regex(/^[^.\s\\/:*?"<>|]{1,32}(\.[^.\s\\/:*?"<>|]{1,32}){1,7}$/),
  PackageVersion: z.string().regex(/^[^\\/:*?"<>|]{1,128}$/),
  ManifestVersion: z.literal("1.6.0"),
});
const Url = z.url({ protocol: /^https$/ }).max(2048);
const Manifests = {
  version: Shared.extend({ DefaultLocale: z.literal("en-US"), ManifestType: z.literal("version") }),
  installer: Shared.extend({
    InstallerType: z.literal("portable"),
    Commands: z.array(z.string().max(40)).max(16),
    Installers: z.array(
      z.strictObject({
        Architecture: z.enum(["x64", "arm64"]),
        InstallerUrl: Url,
        InstallerSha256: z.string().regex(/^[A-Fa-f0-9]{64}$/),
      }),
    ),
    ManifestType: z.literal("installer"),
  }),
  "locale.en-US": Shared.extend({
    PackageLocale: z.literal("en-US"),
    Publisher: z.string().min(2).max(256),
    PublisherUrl: Url,
    PublisherSupportUrl: Url,
    PackageName: z.string().min(2).max(256),
    PackageUrl: Url,
    License: z.string().min(3).max(512),
    LicenseUrl: Url,
    ShortDescription: z.string().min(3).max(256),
    Description: z.string().min(3).max(10_000),
    Moniker: z.string().min(1).max(40),
    Tags: z.array(z.string().min(1).max(40)).max(16),
    ReleaseNotesUrl: Url,
    ManifestType: z.literal("defaultLocale"),
  }),
};

test("the three manifests of winget keep its rules, and name both executables for Windows", async () => {
  const { folder, files } = await make("winget");
  const identifier = "example-owner.chatgpt-api-server";
  expect(files).toEqual([
    `${identifier}.yaml`,
    `${identifier}.installer.yaml`,
    `${identifier}.locale.en-US.yaml`,
  ]);
  const read = async (file: string) => parse(await Bun.file(join(folder, file)).text()) as unknown;
  expect(Manifests.version.parse(await read(`${identifier}.yaml`))).toMatchObject({
    PackageVersion: version,
  });
  const { Installers } = Manifests.installer.parse(await read(`${identifier}.installer.yaml`));
  for (const [index, target] of (["windows-x64", "windows-arm64"] as const).entries())
    expect(Installers[index]).toMatchObject({
      InstallerUrl: addressOf(executableName(target)),
      InstallerSha256: await sha256(join(folder, executableName(target))),
    });
  const locale = Manifests["locale.en-US"].parse(await read(`${identifier}.locale.en-US.yaml`));
  expect(locale).toMatchObject({ PackageIdentifier: identifier, Description: description });
});

test("SHA256SUMS gets a line for each further file of the release, and keeps those of the executables", async () => {
  const folder = tempFolder();
  await addStubs(folder);
  const hash = "0".repeat(64);
  await Bun.write(join(folder, SUMS), `${hash}  chatgpt-api-server-linux-x64\n`);
  await buildPackages(folder, "scripts");
  const files = await buildPackages(folder, "scripts", "homebrew");
  const lines = (await Bun.file(join(folder, SUMS)).text()).trimEnd().split("\n");
  expect(lines[0]).toBe(`${hash}  chatgpt-api-server-linux-x64`);
  const wanted = files.map(async (file) => `${await sha256(join(folder, file))}  ${file}`);
  expect(lines.slice(1)).toEqual(await Promise.all(wanted));
});

test("packages are not made when an executable is missing, or the repository is not named", async () => {
  const folder = tempFolder();
  await addStubs(folder, TARGETS.slice(1));
  const script = join(import.meta.dir, "../../packaging/build.ts");
  const run = (...args: string[]) => {
    const { GITHUB_REPOSITORY: _, ...env } = process.env;
    const child = Bun.spawnSync([process.execPath, script, "--from", folder, ...args], { env });
    return [child.exitCode, child.stderr.toString()];
  };
  const named = ["--repository", REPOSITORY];
  expect(run(...named, "--only", "npm")).toEqual([1, expect.stringContaining("linux-x64 is missing")]);
  expect(run("--only", "npm")).toEqual([2, expect.stringContaining("--repository")]);
  expect(run(...named, "--only", "msi")).toEqual([
    2,
    expect.stringContaining("unknown kind of package: msi"),
  ]);
});
