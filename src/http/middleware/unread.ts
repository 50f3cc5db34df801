/** The most text that all streams together keep for callers who do not read it. */
const ALL_LENGTH_MAX = 256 * 1024 * 1024;

interface Stream {
  /** Closes the stream, and then keeps nothing. */
  cutOff(): void;
}

const lengths = new Map<Stream, number>();
let allLength = 0;

/**
 * Notes how much text a stream keeps that its caller has not taken. If all together keep too much, those with the
 * most are cut off.
 */
export function noteUnread(stream: Stream, length: number): void {
  allLength += length - (lengths.get(stream) ?? 0);
  if (length > 0) lengths.set(stream, length);
  else lengths.delete(stream);
  while (allLength > ALL_LENGTH_MAX) {
    const [largest] = [...lengths].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
    largest.cutOff();
    // Whatever the stream does, this ends.
    noteUnread(largest, 0);
  }
}
