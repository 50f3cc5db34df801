import { CommandError } from "../errors.ts";
import { isLoopbackHost } from "../net/addresses.ts";

/** The origin of updates, and the repository whose workflow must have built them. */
export interface Source {
  /** A folder, or the URL of a release page. */
  from: string;
  /** Such as `owner/name` on GitHub; undefined if this build does not know it. */
  repository: string | undefined;
}

/** Returns the source that the settings name, or that of this build. Throws a `CommandError` if there is none. */
export function sourceOf(
  { updateFrom, requireProvenance }: { updateFrom: string | undefined; requireProvenance: boolean },
  repository: string | undefined,
): Source {
  const from = updateFrom ?? (repository && `https://github.com/${repository}/releases`);
  if (from === undefined)
    throw new CommandError(
      "This build has no release page. Name one, or a folder with the files of a release, with --from.",
    );
  const url = URL.parse(from);
  // Without TLS, anybody on the way could replace both the executable and its checksum.
  if (url?.protocol === "http:" && !isLoopbackHost(url.hostname) && !requireProvenance)
    throw new CommandError(
      "A release page without TLS can be forged on the way. Give its https URL, or add --require-provenance.",
    );
  return { from, repository: repositoryOf(from) ?? repository };
}

/** Returns the repository of a release page of GitHub. */
function repositoryOf(from: string): string | undefined {
  return /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/releases$/.exec(from)?.[1];
}
