import type { BunFile } from "bun";

export interface Sink {
  write(text: string): void;
  /** Resolves once everything written so far is out, or nobody reads any more. */
  flush(): Promise<void>;
}

const WAITING_LENGTH_MAX = 8 * 1024 ** 2;

/**
 * Writes what one turn of the event loop produced at once and in order. A reader that is gone (EPIPE) is
 * no failure: what is written after is lost. A reader that stands still must not fill the memory: beyond
 * `waitingLengthMax` characters texts are dropped, and a line says how many once it reads again.
 */
export function createSink(file: BunFile, waitingLengthMax = WAITING_LENGTH_MAX): Sink {
  const writer = file.writer();
  let waiting = 0;
  let dropped = 0;
  let flushing: Promise<void> | undefined;

  const write = (text: string) => {
    if (waiting + text.length > waitingLengthMax) {
      dropped++;
      return;
    }
    waiting += text.length;
    void settled(() => writer.write(text));
    flushing ??= flushAll();
  };

  const flushAll = async () => {
    while (waiting > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const length = waiting;
      await settled(() => writer.flush());
      waiting -= length;
      if (waiting === 0 && dropped > 0) {
        const lines = dropped;
        dropped = 0;
        write(`${JSON.stringify({ level: "warn", event: "output_dropped", lines })}\n`);
      }
    }
    flushing = undefined;
  };

  return { write, flush: async () => flushing };
}

/** The writer throws or rejects, as the case may be, when the reader is gone. */
async function settled(work: () => number | Promise<number>): Promise<void> {
  try {
    await work();
  } catch {
    // The reader is gone, see above.
  }
}
