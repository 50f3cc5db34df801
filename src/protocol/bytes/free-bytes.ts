/** Buffers of which one owner has all parts. */
const OWNED = new WeakSet<ArrayBufferLike>();

/** Notes that nobody else has a part of the buffer of these bytes. Returns them. */
export function ownBytes<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  OWNED.add(bytes.buffer);
  return bytes;
}

/**
 * Frees the buffer of bytes that nobody reads any more, for which the garbage collector might take seconds. Does nothing
 * if they are a part of a larger buffer, of which others may have parts.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return;
  if (buffer.byteLength === byteLength || OWNED.has(buffer)) buffer.transfer(0);
}
