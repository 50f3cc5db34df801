import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { MINUTE_MS } from "../durations.ts";
import { CommandError } from "../errors.ts";
import { fileErrorText } from "../system-error.ts";
import { withinTime } from "./read-at-most.ts";
import type { ReleaseFile } from "./release-page.ts";

/** An executable has about 120 MB. */
const EXECUTABLE_BYTES_MAX = 512 * 1024 * 1024;
const EXECUTABLE_MS = 30 * MINUTE_MS;

interface SaveOptions {
  /** The name for messages. */
  name: string;
  /** A new file, which only its owner may read. */
  path: string;
  /** The expected SHA-256 hash. */
  sha256: string;
  bytesMax?: number;
}

/**
 * Writes a file of a release to the disk. When this resolves, all of it is on the disk and has the expected hash. If it
 * rejects, with a `CommandError`, the file is removed.
 */
export async function saveFile(
  file: ReleaseFile,
  { name, path, sha256, bytesMax = EXECUTABLE_BYTES_MAX }: SaveOptions,
): Promise<void> {
  const tooLong = () =>
    new CommandError(`${name} has more than ${bytesMax / 2 ** 20} MB. It was not downloaded.`);
  if (file.bytes !== undefined && file.bytes > bytesMax) throw tooLong();
  const hasher = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  try {
    const target = create(path);
    try {
      for await (const chunk of withinTime(file.body, EXECUTABLE_MS)) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) throw tooLong();
        hasher.update(chunk);
        writeAll(target, chunk, path);
      }
      fsyncSync(target);
    } finally {
      closeSync(target);
    }
    if (file.bytes !== undefined && bytes !== file.bytes)
      throw new CommandError(`${name} arrived with ${bytes} of ${file.bytes} bytes. Try again.`);
    if (hasher.digest("hex") !== sha256)
      throw new CommandError(
        `${name} does not have the checksum that SHA256SUMS lists. Nothing was changed. Try again later; if that does not help, do not use this source.`,
      );
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

function create(path: string): number {
  try {
    rmSync(path, { force: true });
    return openSync(path, "wx", 0o600);
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function writeAll(file: number, chunk: Uint8Array, path: string): void {
  try {
    for (let at = 0; at < chunk.byteLength; ) at += writeSync(file, chunk, at);
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}
