import type { BunFile } from "bun";

export interface Sink {
  write(text: string): void;
  /** Resolves once everything written so far is out, or nobody reads any more. */
  flush(): Promise<void>;
}

const WAITING_LENGTH_MAX = 8 * 1024 ** 2;

/** Between two writes: a busy log comes in few large pieces, as each write is a call of the system. */
const REST_MS = 10;

/**
 * Writes in order: a text that comes after a rest at the end of the event loop's turn, the ones that follow it every
 * 10 ms. A reader that is gone (EPIPE) is no failure: what is written after is lost. A reader that stands still must
 * not fill the memory: beyond `waitingLengthMax` characters texts are dropped, and a line says how many once it reads
 * again.
 */
export function createSink(file: BunFile, waitingLengthMax = WAITING_LENGTH_MAX): Sink {
  const writer = file.writer();
  let texts: string[] = [];
  let waiting = 0;
  let dropped = 0;
  let running: Promise<void> | undefined;
  let hurried = 0;
  let wake = () => {};

  const write = (text: string) => {
    if (waiting + text.length > waitingLengthMax) {
      dropped++;
      return;
    }
    waiting += text.length;
    texts.push(text);
    running ??= run();
  };

  const run = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    while (texts.length > 0) {
      await writeAll();
      if (hurried === 0) await rest();
    }
    running = undefined;
  };

  const writeAll = async () => {
    const text = texts.join("");
    texts = [];
    await settled(() => writer.write(text));
    await settled(() => writer.flush());
    waiting -= text.length;
    if (waiting > 0 || dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    write(`${JSON.stringify({ level: "warn", event: "output_dropped", lines })}\n`);
  };

  const rest = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, REST_MS);
    wake = resolve;
    return promise.finally(() => clearTimeout(timer));
  };

  return {
    write,
    async flush() {
      hurried++;
      wake();
      await running;
      hurried--;
    },
  };
}

/** The writer throws or rejects, as the case may be, when the reader is gone. */
async function settled(work: () => number | Promise<number>): Promise<void> {
  try {
    await work();
  } catch {
    // The reader is gone, see above.
  }
}
