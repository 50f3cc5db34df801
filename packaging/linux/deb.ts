import { stat } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fill, NAME, type Release, ROOT, run, template } from "../release.ts";
import {
  type LinuxTarget,
  licenseText,
  packageVersion,
  SETTINGS_FILES,
  script,
  stage,
  write,
} from "./stage.ts";

const ARCHITECTURES: Record<LinuxTarget, string> = { "linux-x64": "amd64", "linux-arm64": "arm64" };

/** Builds the .deb of a target with `dpkg-deb`, which needs neither root nor a machine of that kind. Returns its name. */
export async function buildDeb(release: Release, target: LinuxTarget, scratch: string): Promise<string> {
  const tree = join(scratch, `deb-${target}`);
  const copyright = fill(await template("linux/copyright"), await copyrightValues(release));
  await stage(release, target, tree, {
    [`/usr/share/doc/${NAME}/copyright`]: copyright,
    [`/usr/share/doc/${NAME}/changelog.gz`]: gzipSync(await Bun.file(join(ROOT, "CHANGELOG.md")).bytes(), {
      level: 9,
    }),
  });
  const { size } = await stat(join(tree, "usr/bin", NAME));
  const control = join(tree, "DEBIAN");
  await write(join(control, "control"), controlFile(release, target, Math.ceil(size / 1024)), 0o644);
  await write(join(control, "conffiles"), SETTINGS_FILES.map((path) => `${path}\n`).join(""), 0o644);
  for (const name of ["postinst", "prerm", "postrm"])
    await write(join(control, name), await script(`deb-${name}.sh`), 0o755);
  const file = `${NAME}-${target}.deb`;
  const compression = release.isFast ? ["-Zgzip", "-z1"] : ["-Zxz", "-z6"];
  await run(["dpkg-deb", "--root-owner-group", ...compression, "--build", tree, join(release.folder, file)]);
  return file;
}

function controlFile(release: Release, target: LinuxTarget, kilobytes: number): string {
  const [owner] = release.repository.split("/");
  return [
    `Package: ${NAME}`,
    `Version: ${packageVersion(release)}`,
    `Architecture: ${ARCHITECTURES[target]}`,
    `Maintainer: ${owner} <${owner}@users.noreply.github.com>`,
    `Installed-Size: ${kilobytes}`,
    "Depends: libc6 (>= 2.17), passwd",
    "Section: net",
    "Priority: optional",
    `Homepage: https://github.com/${release.repository}`,
    "Description: self-hosted gateway to the models on all your machines",
    " One OpenAI-, Anthropic- and Ollama-compatible API for the models on all your machines.",
    " Agents beside the models connect to the server; people and programs call it",
    " over HTTP, with tokens.",
    "",
  ].join("\n");
}

/** Returns what the copyright file names. Its text has a dot for an empty line. */
async function copyrightValues({ repository }: Release) {
  const [, holder = "", ...body] = (await licenseText()).split(/\n\n/);
  const text = body.join("\n\n").trimEnd();
  return {
    repository,
    holder: holder.replace("Copyright (c) ", ""),
    license: text
      .split("\n")
      .map((line) => ` ${line || "."}`)
      .join("\n"),
  };
}
