import { join } from "node:path";
import { fill, NAME, type Release, run, template } from "../release.ts";
import { type LinuxTarget, licenseText, packageVersion, script, stage, write } from "./stage.ts";
import { packageUnits } from "./units.ts";

const ARCHITECTURES: Record<LinuxTarget, string> = { "linux-x64": "x86_64", "linux-arm64": "aarch64" };

/** Makes the times in the package that of SOURCE_DATE_EPOCH, if that is set, as `dpkg-deb` does by itself. */
const REPRODUCIBLE = { use_source_date_epoch_as_buildtime: "1", clamp_mtime_to_source_date_epoch: "1" };

/** Builds the .rpm of a target with `rpmbuild`, which needs neither root nor a machine of that kind. Returns its name. */
export async function buildRpm(release: Release, target: LinuxTarget, scratch: string): Promise<string> {
  const top = join(scratch, `rpm-${target}`);
  const tree = join(top, "tree");
  await stage(release, target, tree, { [`/usr/share/licenses/${NAME}/LICENSE`]: await licenseText() });
  const spec = join(top, `${NAME}.spec`);
  const values = {
    ...{ tree, repository: release.repository, version: packageVersion(release) },
    summary: "Self-hosted gateway to the models on all your machines",
    description: release.description,
    payload: release.isFast ? "w1.gzdio" : "w19.zstdio",
    setup: escaped(await script("setup.sh")),
    hint: escaped(await script("hint.sh")),
    units: Object.keys(packageUnits()).join(" "),
  };
  await write(spec, fill(await template("linux/package.spec"), values), 0o644);
  const file = `${NAME}-${target}.rpm`;
  const defines = {
    _topdir: top,
    _rpmdir: release.folder,
    _build_name_fmt: file,
    _buildhost: "localhost",
    ...REPRODUCIBLE,
  };
  await run([
    ...["rpmbuild", "-bb", "--quiet", "--target", `${ARCHITECTURES[target]}-linux`],
    ...Object.entries(defines).flatMap(([name, value]) => [
      "--define",
      `${name} ${value.replaceAll("%", "%%")}`,
    ]),
    spec,
  ]);
  return file;
}

/** A percent sign begins a macro in a spec. */
function escaped(text: string): string {
  return text.replaceAll("%", "%%");
}
