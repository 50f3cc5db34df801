import { stat } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../errors.ts";
import { openAddress, type ReleaseFile, readLatest } from "./release-page.ts";

/** The versions and files of a release. */
export interface Release {
  /** The source for people: a URL or a folder. */
  label: string;
  /** Undefined if only the executable itself says it. */
  version: string | undefined;
  /** Opens a file. Resolves with undefined if the release does not have it, and rejects with a `CommandError` else. */
  open(name: string): Promise<ReleaseFile | undefined>;
}

interface FindOptions {
  /** A folder with the files of one release, or the URL of a release page. */
  from: string;
  /** The wanted version; undefined for the newest. */
  version: string | undefined;
}

/** Finds a release. Rejects with a `CommandError` if the source has none, or cannot be read. */
export async function findRelease({ from, version }: FindOptions): Promise<Release> {
  if (!URL.canParse(from) || !/^https?:/i.test(from)) return openFolder(from, version);
  const found = version ?? (await readLatest(from));
  const folder = `${from}/download/v${found}`;
  return {
    label: folder,
    version: found,
    open: (name) => openAddress(`${folder}/${name}`),
  };
}

async function openFolder(folder: string, version: string | undefined): Promise<Release> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new CommandError(
      `${folder} is not a folder, nor an https URL. Name a folder with the files of a release, or a release page.`,
    );
  return {
    label: folder,
    version,
    async open(name) {
      const file = Bun.file(join(folder, name));
      if (!(await file.exists())) return undefined;
      return { body: file.stream(), bytes: file.size };
    },
  };
}
