import type { BunFile } from "bun";

const WAITING_LENGTH_MAX = 8 * 1024 ** 2;

/** The pause between two writes. Each is a system call, so a busy log is written in few large pieces. */
const PAUSE_MS = 10;

interface StdoutWriterOptions {
  /** The characters that may wait for the reader. */
  waitingLengthMax?: number;
  /** Called with the number of texts that were dropped. It may write. */
  onDropped?: (lines: number) => void;
}

/**
 * Creates a writer for standard output or standard error, which writes texts in order. A text that comes
 * after a pause is written at the end of the event loop's turn; the texts that follow it are written every 10
 * ms. A reader that is gone (EPIPE) is not a failure: what is written to it is lost. A reader that stops
 * reading must not fill the memory: beyond `waitingLengthMax` characters texts are dropped, and once the
 * reader goes on `onDropped` is called with their number.
 */
export function createStdoutWriter(file: BunFile, options: StdoutWriterOptions = {}) {
  const { waitingLengthMax = WAITING_LENGTH_MAX, onDropped = () => {} } = options;
  const writer = file.writer();
  let texts: string[] = [];
  let waiting = 0;
  let dropped = 0;
  let running: Promise<void> | undefined;
  /** The calls of `flush` that wait. Meanwhile nothing pauses. */
  let flushing = 0;
  let endPause = () => {};

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
      if (flushing === 0) await pause();
    }
    running = undefined;
  };

  const writeAll = async () => {
    const text = texts.join("");
    texts = [];
    try {
      await writer.write(text);
      await writer.flush();
    } catch {
      // The reader is gone.
    }
    waiting -= text.length;
    if (waiting > 0 || dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    onDropped(lines);
  };

  const pause = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, PAUSE_MS);
    endPause = resolve;
    return promise;
  };

  return {
    write,
    /** Resolves once everything written so far is out, or its reader is gone. */
    async flush(): Promise<void> {
      flushing++;
      endPause();
      await running;
      flushing--;
    },
  };
}
