import { appendFileSync, createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { extract, type Pack, pack } from "tar-stream";
import { CommandError } from "../errors.ts";

// A backup is a tar file with plain files in it. tar-stream packs and unpacks it piece by piece; `Bun.Archive`
// would hold all of it in memory, twice.

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 1024 ** 2;

export interface ArchiveEntry {
  /** ASCII, without folders. */
  name: string;
  bytes: number;
  /** The content, or the path of the file that has it. */
  content: Uint8Array | { path: string };
}

/** Writes an archive of the entries, in their order, to an open file. */
export async function writeArchive(file: number, entries: readonly ArchiveEntry[], mtime: Date) {
  const archive = pack();
  const packing = packAll(archive, entries, mtime).catch((error) => archive.destroy(error));
  for await (const chunk of archive) appendFileSync(file, bytesOf(chunk));
  await packing;
}

async function packAll(archive: Pack, entries: readonly ArchiveEntry[], mtime: Date): Promise<void> {
  for (const entry of entries) {
    const { name, bytes: size } = entry;
    await pipeline(contentOf(entry), archive.entry({ name, size, mode: 0o600, mtime }));
  }
  archive.finalize();
}

async function* contentOf({ name, bytes, content }: ArchiveEntry): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) return yield content;
  let read = 0;
  // One byte more than there should be shows that the file has grown.
  for await (const chunk of createReadStream(content.path, { end: bytes, highWaterMark: CHUNK_BYTES })) {
    read += chunk.length;
    if (read <= bytes) yield chunk;
  }
  if (read !== bytes) throw new Error(`The file ${name} changed while it was read.`);
}

/**
 * Reads an archive to its end and calls `take` for each plain file in it, in order. The function that `take`
 * returns, if any, is called with each piece of the file's content. `take` throws a `CommandError` to refuse the
 * archive. Throws a `CommandError` for a file that is not an archive, is damaged, or is cut short.
 */
export async function readArchive(
  path: string,
  take: (name: string, bytes: number) => ((piece: Uint8Array) => void) | undefined,
): Promise<void> {
  const archive = extract(EXTRACT_OPTIONS);
  const feeding = pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), archive);
  // When it fails, so does the iteration below, sooner or later.
  feeding.catch(() => {});
  let endsAt = 0;
  try {
    for await (const entry of archive) {
      const { name, type, size } = entry.header;
      endsAt = entry.offset + BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
      const onPiece = type === "file" ? take(name.replace(/^\.\//, ""), size) : undefined;
      for await (const piece of entry) onPiece?.(bytesOf(piece));
    }
    await feeding;
  } catch (error) {
    // `take` refuses the archive.
    if (error instanceof CommandError) throw error;
    // Whatever follows the end of an archive is not a part of it.
    if (!(await hasEndAt(path, endsAt))) throw explain(error);
    return;
  }
  if (!(await hasEndAt(path, endsAt))) throw new CommandError(CUT_SHORT);
}

/** Early builds of this program wrote headers without the mark of their format. The types lack that option. */
const EXTRACT_OPTIONS = { highWaterMark: CHUNK_BYTES, allowUnknownFormat: true };

const CUT_SHORT = "The archive is cut short.";

/** Replaces an error of tar-stream with one for people. */
function explain(error: unknown): unknown {
  const message = error instanceof Error ? error.message : "";
  if (message === "Unexpected end of data") return new CommandError(CUT_SHORT, { cause: error });
  if (/^(Invalid|Header exceeds)/.test(message))
    return new CommandError("The file is not a tar archive, or it is damaged.", { cause: error });
  return error;
}

/** Whether the block of zeros that ends an archive follows its last entry. tar-stream does without it. */
async function hasEndAt(path: string, position: number): Promise<boolean> {
  const block = await Bun.file(path)
    .slice(position, position + BLOCK_BYTES)
    .bytes();
  return block.length === BLOCK_BYTES && block.every((byte) => byte === 0);
}

/** Narrows the type: the streams of tar-stream are typed for any chunk, but have bytes only. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError("not bytes");
}
