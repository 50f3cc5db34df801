import { CommandError } from "../errors.ts";
import { readChecksum } from "./checksums.ts";
import { saveFile } from "./download.ts";
import { executableName, targetOf } from "./executable-name.ts";
import { makeExecutable, type UpdateFiles } from "./files.ts";
import { versionOf } from "./probe.ts";
import { checkProvenance, type Provenance } from "./provenance.ts";
import type { Release } from "./release.ts";

export interface FetchedUpdate {
  version: string;
  provenance: Provenance;
}

interface FetchOptions {
  release: Release;
  files: UpdateFiles;
  repository: string | undefined;
  /** Whether an executable whose origin is not proven is refused, before it runs at all. */
  requireProvenance: boolean;
  /** The environment of this process, for the programs that it runs. */
  env: Record<string, string | undefined>;
}

/**
 * Downloads the executable of a release for this machine, checks it, and runs it once to learn its version. It is then at
 * `files.part`, with the owner and the mode of the present one. Throws a `CommandError` if anything is wrong with it.
 */
export async function fetchUpdate({
  release,
  files,
  repository,
  requireProvenance,
  env,
}: FetchOptions): Promise<FetchedUpdate> {
  const name = executableName(targetOf(files.executable));
  const sha256 = await readChecksum(release, name);
  const file = await release.open(name);
  if (!file) throw new CommandError(`${release.label} lists ${name}, but does not have it. Try again later.`);
  await saveFile(file, { name, path: files.part, sha256 });
  const provenance = await checkProvenance({ release, file: files.part, sha256, repository, env });
  if (provenance.state === "forged")
    throw new CommandError(
      `${name} was not built by the workflow of ${repository}: ${provenance.why}. Nothing was changed.`,
    );
  if (requireProvenance && provenance.state === "unverified")
    throw new CommandError(`The provenance is not verified, as ${provenance.why}. Nothing was changed.`);
  makeExecutable(files);
  const version = await versionOf(files.part, env);
  if (release.version !== undefined && version !== release.version)
    throw new CommandError(
      `The executable of release ${release.version} says that it is ${version}. Nothing was changed.`,
    );
  return { version, provenance };
}
