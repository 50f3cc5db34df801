import { CommandError } from "../errors.ts";
import { readAtMost } from "./read-at-most.ts";
import type { Release } from "./release.ts";

const CHECKSUMS_NAME = "SHA256SUMS";
const CHECKSUMS_BYTES_MAX = 64 * 1024;

/**
 * Reads the SHA-256 hash of a file of the release, in hexadecimal digits. Throws a `CommandError` if the release has no
 * list of hashes, or no such file.
 */
export async function readChecksum(release: Release, name: string): Promise<string> {
  const file = await release.open(CHECKSUMS_NAME);
  if (!file) throw new CommandError(`${release.label} has no ${CHECKSUMS_NAME}. Check the address.`);
  const found = checksumOf(await readAtMost(file.body, CHECKSUMS_BYTES_MAX), name);
  if (found !== undefined) return found;
  throw new CommandError(
    `${release.label} has no ${name}, which this machine needs. Build it there, or name another release.`,
  );
}

/** Finds the hash of a file in a text that `sha256sum -c` reads. */
export function checksumOf(text: string, name: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [, hash, file] = /^([0-9a-f]{64}) [ *](.+)$/i.exec(line) ?? [];
    if (file === name) return hash?.toLowerCase();
  }
  return undefined;
}
