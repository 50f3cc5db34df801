/**
 * Reads lines of JSON from chunks of bytes that may end anywhere, even within a character. Empty lines are left out.
 * It has the shape of an `SseReader`: each line is an event without a name.
 */
export class LineReader {
  /** Whether a line was longer than allowed. No line follows it. */
  overflow = false;
  readonly #decoder = new TextDecoder("utf-8");
  /** The line that is not complete. */
  #rest = "";

  /** `lengthMax` bounds the characters of one line. */
  constructor(private readonly lengthMax: number) {}

  /** Returns the lines that are now complete, in order. Check `overflow` after each call. */
  push(bytes: Uint8Array): { data: string }[] {
    if (this.overflow) return [];
    const [first = "", ...others] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    const whole = [this.#rest + first, ...others];
    this.#rest = whole.pop() ?? "";
    this.overflow = [...whole, this.#rest].some((line) => line.length > this.lengthMax);
    return this.overflow ? [] : whole.flatMap(toEvent);
  }

  /** Ends the stream. Returns the last line if only the line break after it is missing. */
  end(): { data: string } | undefined {
    const last = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return this.overflow ? undefined : toEvent(last)[0];
  }
}

function toEvent(line: string): { data: string }[] {
  const data = line.trim();
  return data === "" ? [] : [{ data }];
}
