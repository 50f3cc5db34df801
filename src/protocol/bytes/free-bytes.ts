/**
 * Frees bytes that nobody reads any more, for which the garbage collector might take seconds. Does nothing if they are a
 * part of a larger buffer, of which others may have parts.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
