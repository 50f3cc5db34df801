const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** The sizes of the fields of a frame's header, by their flags. */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const CHECKSUM_BYTES = 4;
/** A block of this type is one byte, to be repeated. */
const REPEATED = 1;

/**
 * Whether the bytes are whole frames of Zstandard, at least one, and nothing else (RFC 8878, 3.1). The decoder of the
 * runtime takes a frame that was cut off for a whole one.
 */
export function isWholeZstd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    let at = 0;
    do at = frameEnd(view, at);
    while (at < view.byteLength);
    return at === view.byteLength;
  } catch (error) {
    // A field is behind the end of the bytes.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Returns where the frame ends, which may be behind the end of the bytes. Throws a RangeError if it has no end. */
function frameEnd(view: DataView, start: number): number {
  const magic = view.getUint32(start, true);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return start + 8 + view.getUint32(start + 4, true);
  if (magic !== MAGIC) throw new RangeError("no frame");
  const flags = view.getUint8(start + 4);
  let at = start + 5 + headerBytes(flags);
  let isLast = false;
  while (!isLast) {
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (block >> 1) & 3;
    at += 3 + (type === REPEATED ? 1 : block >> 3);
    isLast = (block & 1) === 1;
  }
  return at + (flags & 4 ? CHECKSUM_BYTES : 0);
}

/** Returns the size of the fields of the header after the one with the flags. */
function headerBytes(flags: number): number {
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeFlag = flags >> 6;
  const contentSize = sizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  return (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[flags & 3] ?? 0) + contentSize;
}
