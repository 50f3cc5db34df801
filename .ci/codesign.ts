import { open } from "node:fs/promises";

/**
 * Constants of the Mach-O file format (`mach-o/loader.h`) and of code signatures (`kern/cs_blobs.h`), as in the
 * sources of XNU: https://github.com/apple-oss-distributions/xnu. Mach-O numbers are little-endian, those of
 * signatures are big-endian.
 */
const MACHO_64 = 0xfeedfacf;
const HEADER_BYTES = 32;
const LOAD_SEGMENT_64 = 0x19;
const LOAD_CODE_SIGNATURE = 0x1d;
const EMBEDDED_SIGNATURE = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const CODE_DIRECTORY_VERSION = 0x20400;
const CODE_DIRECTORY_BYTES = 88;
const BLOB_HEADER_BYTES = 20;
/** CS_ADHOC and CS_LINKER_SIGNED: the file has no certificate, and no requirements. */
const FLAGS = 0x20002;
const MAIN_BINARY = 1;
const SHA256 = 2;
const HASH_BYTES = 32;
const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const SEGMENT_ALIGNMENT = 0x4000;

interface Layout {
  /** Positions of the two load commands in the file. */
  linkEdit: number;
  codeSignature: number;
  /** The end of what is signed, and the beginning of the signature. */
  codeLimit: number;
  text: { offset: number; bytes: number };
}

/**
 * Replaces the signature of a macOS executable with an ad-hoc one, as a linker would write it. Bun writes its
 * module graph into its own executable; on x64 it leaves the signature of before, whose hashes no longer fit, and
 * macOS kills the process when it reads such a page. The signature must be the last part of the file.
 */
export async function signAdHoc(path: string, identifier: string): Promise<void> {
  const code = Buffer.from(await Bun.file(path).arrayBuffer());
  const layout = readLayout(code);
  const { codeLimit, codeSignature, linkEdit } = layout;
  const signature = signatureBytes(layout, identifier);
  code.writeUInt32LE(signature, codeSignature + 12);
  const linkEditOffset = Number(code.readBigUInt64LE(linkEdit + 40));
  const linkEditBytes = codeLimit + signature - linkEditOffset;
  code.writeBigUInt64LE(
    BigInt(Math.ceil(linkEditBytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT),
    linkEdit + 32,
  );
  code.writeBigUInt64LE(BigInt(linkEditBytes), linkEdit + 48);
  const signed = code.subarray(0, codeLimit);
  await using file = await open(path, "r+");
  await file.truncate(codeLimit);
  await file.write(signed, 0, codeLimit, 0);
  await file.write(writeSignature(signed, layout, identifier), 0, signature, codeLimit);
}

function readLayout(code: Buffer): Layout {
  if (code.readUInt32LE(0) !== MACHO_64) throw new Error("not a 64-bit Mach-O file");
  const found: Partial<Layout> = {};
  let at = HEADER_BYTES;
  for (let left = code.readUInt32LE(16); left > 0; left--) {
    const command = code.readUInt32LE(at);
    if (command === LOAD_CODE_SIGNATURE) {
      found.codeSignature = at;
      found.codeLimit = code.readUInt32LE(at + 8);
    } else if (command === LOAD_SEGMENT_64) {
      const name = code.toString("latin1", at + 8, at + 24).replaceAll("\0", "");
      if (name === "__LINKEDIT") found.linkEdit = at;
      if (name === "__TEXT")
        found.text = {
          offset: Number(code.readBigUInt64LE(at + 40)),
          bytes: Number(code.readBigUInt64LE(at + 48)),
        };
    }
    at += code.readUInt32LE(at + 4);
  }
  const { codeLimit, codeSignature, linkEdit, text } = found;
  if (codeLimit === undefined || codeSignature === undefined || linkEdit === undefined || !text)
    throw new Error("the file has no signature to replace");
  if (codeLimit + code.readUInt32LE(codeSignature + 12) !== code.length)
    throw new Error("the signature is not the last part of the file");
  return { codeLimit, codeSignature, linkEdit, text };
}

function pagesOf({ codeLimit }: Layout): number {
  return Math.ceil(codeLimit / PAGE_BYTES);
}

function signatureBytes(layout: Layout, identifier: string): number {
  const bytes =
    BLOB_HEADER_BYTES + CODE_DIRECTORY_BYTES + identifier.length + 1 + pagesOf(layout) * HASH_BYTES;
  return Math.ceil(bytes / 16) * 16;
}

/** Returns one blob, the code directory: the hash of each page of what precedes the signature. */
function writeSignature(signed: Buffer, layout: Layout, identifier: string): Buffer {
  const pages = pagesOf(layout);
  const hashes = CODE_DIRECTORY_BYTES + identifier.length + 1;
  const directoryBytes = hashes + pages * HASH_BYTES;
  const blob = Buffer.alloc(signatureBytes(layout, identifier));
  const head = [EMBEDDED_SIGNATURE, BLOB_HEADER_BYTES + directoryBytes, 1, 0, BLOB_HEADER_BYTES];
  for (const [index, value] of head.entries()) blob.writeUInt32BE(value, index * 4);
  const directory = blob.subarray(BLOB_HEADER_BYTES);
  const fields = [
    CODE_DIRECTORY,
    directoryBytes,
    CODE_DIRECTORY_VERSION,
    FLAGS,
    hashes,
    CODE_DIRECTORY_BYTES,
    0,
    pages,
    layout.codeLimit,
  ];
  for (const [index, value] of fields.entries()) directory.writeUInt32BE(value, index * 4);
  directory.set([HASH_BYTES, SHA256, 0, PAGE_BITS], 36);
  directory.writeBigUInt64BE(BigInt(layout.text.offset), 64);
  directory.writeBigUInt64BE(BigInt(layout.text.bytes), 72);
  directory.writeBigUInt64BE(BigInt(MAIN_BINARY), 80);
  directory.write(identifier, CODE_DIRECTORY_BYTES, "latin1");
  for (let page = 0; page < pages; page++) {
    const bytes = signed.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    directory.set(Bun.SHA256.hash(bytes) as Uint8Array, hashes + page * HASH_BYTES);
  }
  return blob;
}
