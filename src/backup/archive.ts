import { closeSync, createReadStream, openSync, readSync, writeSync } from "node:fs";
import { CommandError } from "../errors.ts";

/*
 * As much of the tar format as a backup needs: plain files with short names. Written as POSIX ustar, which
 * every tar reads; sizes of 8 GiB and more as GNU tar writes them.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 1024 ** 2;
/** What eleven octal digits hold. */
const OCTAL_MAX = 8 ** 11;

export interface TarEntry {
  /** ASCII, without folders. */
  name: string;
  bytes: number;
  /** The content, or the path of the file that has it. */
  content: Uint8Array | { path: string };
}

/** Appends the entries to an open file, in their order, and ends the archive. */
export async function writeTar(file: number, entries: readonly TarEntry[], modifiedAt: Date): Promise<void> {
  for (const { name, bytes, content } of entries) {
    writeAll(file, headerOf(name, bytes, modifiedAt));
    let written = 0;
    for await (const chunk of content instanceof Uint8Array ? [content] : readFile(content.path, bytes)) {
      writeAll(file, chunk);
      written += chunk.length;
    }
    if (written !== bytes) throw new Error(`${name} has changed while it was read`);
    writeAll(file, new Uint8Array(paddingOf(bytes)));
  }
  writeAll(file, new Uint8Array(2 * BLOCK_BYTES));
}

/**
 * Reads an archive through and calls `take` for each plain file in it, in order. What `take` gives is called for
 * each piece of the file's content, where it gives something. Throws a `CommandError` for what is no archive,
 * or is cut short.
 */
export function readTar(
  path: string,
  take: (name: string) => ((piece: Uint8Array) => void) | undefined,
): void {
  const file = openSync(path, "r");
  try {
    const read = readerOf(file);
    for (;;) {
      const header = read(BLOCK_BYTES);
      if (header.every((byte) => byte === 0)) return;
      const { name, bytes, isFile } = parseHeader(header);
      const pieces = isFile ? take(name) : undefined;
      for (let left = bytes; left > 0; ) {
        const piece = read(Math.min(left, CHUNK_BYTES));
        left -= piece.length;
        pieces?.(piece);
      }
      read(paddingOf(bytes));
    }
  } finally {
    closeSync(file);
  }
}

const readFile = (path: string, bytes: number): AsyncIterable<Uint8Array> =>
  createReadStream(path, { end: bytes, highWaterMark: CHUNK_BYTES });

const paddingOf = (bytes: number) => (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Each piece is valid until the next is read. */
function readerOf(file: number): (bytes: number) => Uint8Array {
  const buffer = new Uint8Array(CHUNK_BYTES);
  return (bytes) => {
    for (let at = 0; at < bytes; ) {
      const count = readSync(file, buffer, at, bytes - at, null);
      if (count === 0) throw new CommandError("it is cut short");
      at += count;
    }
    return buffer.subarray(0, bytes);
  };
}

function headerOf(name: string, bytes: number, modifiedAt: Date): Uint8Array {
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
  header.write(name, 0, 100, "latin1");
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  if (bytes < OCTAL_MAX) octal(bytes, 124, 12);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), 128);
  }
  octal(Math.floor(modifiedAt.getTime() / 1000), 136, 12);
  header.write("0ustar\0", 156, "latin1");
  header.write("00", 263, "latin1");
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

function parseHeader(given: Uint8Array): { name: string; bytes: number; isFile: boolean } {
  const header = Buffer.from(given);
  const text = (at: number, length: number) =>
    header.toString("latin1", at, at + length).replace(/\0.*$/s, "");
  const octal = (at: number, length: number) => Number.parseInt(text(at, length).trim() || "0", 8);
  if (octal(148, 8) !== checksumOf(header)) throw new CommandError("it is no tar archive, or damaged");
  const bytes = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : octal(124, 12);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new CommandError("it is damaged");
  const name = text(0, 100).replace(/^\.\//, "");
  return { name, bytes, isFile: header[156] === 0 || header[156] === 0x30 };
}

/** The sum of all bytes, those of the sum itself taken as blanks. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}
