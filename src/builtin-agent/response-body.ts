import type { Clock } from "../clock.ts";

/** How far a body is looked at before its content type decides. */
const LOOK_AHEAD_BYTES_MAX = 1024;

/** A stream of server-sent events begins with one of these: a field, or a comment. */
const FIRST_OF_EVENTS = ["data:", "event:", "id:", "retry:", ":"];

/** The body of a response, whose beginning can be looked at before the body is read. */
export class ResponseBody {
  #opened: ReturnType<typeof readerOf> | undefined;
  /** The pieces that were looked at and not read yet. */
  readonly #ahead: Uint8Array[] = [];
  /** Whether the response is complete, so that nothing of its request is left. */
  isComplete = false;
  #isCancelled = false;

  /** `onBytes` is called whenever something of the body has come. */
  constructor(
    private readonly response: Response,
    private readonly onBytes: () => void = () => {},
  ) {}

  get #reader() {
    this.#opened ??= readerOf(this.response);
    return this.#opened;
  }

  async read(): Promise<{ done: false; value: Uint8Array } | { done: true; value?: undefined }> {
    const value = this.#ahead.shift() ?? (await this.#next());
    return value ? { done: false, value } : { done: true };
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.isComplete) return undefined;
    const { value } = await this.#reader.read();
    if (value) this.onBytes();
    else this.#ended();
    return value;
  }

  #ended(): void {
    this.isComplete = !this.#isCancelled;
  }

  /** Returns the body as unchanged text; undefined, with the rest dropped, if it is longer than `bytesMax`. */
  async text(bytesMax: number): Promise<string | undefined> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    // The runtime reads a body at once with less work than piece by piece.
    if (!this.#opened && isShort(this.response, bytesMax)) {
      const all = await this.response.bytes();
      this.onBytes();
      this.isComplete = true;
      return decoder.decode(all);
    }
    let text = "";
    let bytes = 0;
    for (let part = await this.read(); !part.done; part = await this.read()) {
      bytes += part.value.byteLength;
      if (bytes > bytesMax) {
        await this.cancel();
        return undefined;
      }
      text += decoder.decode(part.value, { stream: true });
    }
    return text + decoder.decode();
  }

  /** Reads and drops the rest, so that the connection can be used again. Cancels the body if that takes too long. */
  async drop(clock: Clock, limitMs: number): Promise<void> {
    if (this.isComplete) return;
    const stop = clock.after(limitMs, () => void this.cancel());
    try {
      while ((await this.#reader.read()).value);
      this.#ended();
    } catch {
      // The answer is complete without the rest.
    } finally {
      stop();
    }
  }

  /** Reads no further, which ends the request. */
  async cancel(): Promise<void> {
    if (this.isComplete) return;
    this.#isCancelled = true;
    // A body that is broken rejects this too.
    await this.#reader.cancel().catch(() => {});
  }

  /**
   * Whether the body is a stream of events. Its first bytes decide, as gateways stream under other content
   * types, or send JSON under this one. The content type decides if they say neither.
   */
  async isEventStream(): Promise<boolean> {
    const kind = await this.#kind();
    if (kind !== undefined) return kind === "events";
    return /^text\/event-stream\b/i.test(this.response.headers.get("content-type") ?? "");
  }

  /** Whether the body begins as JSON does, as lines of JSON do, too. */
  async isJson(): Promise<boolean> {
    return (await this.#kind()) === "json";
  }

  /** Returns what the first bytes show the body to be, if they do. */
  async #kind(): Promise<"events" | "json" | undefined> {
    // It drops a byte order mark.
    const decoder = new TextDecoder();
    let start = "";
    for (let bytes = 0; bytes < LOOK_AHEAD_BYTES_MAX; ) {
      const value = await this.#next();
      if (!value) break;
      this.#ahead.push(value);
      bytes += value.byteLength;
      start += decoder.decode(value.subarray(0, LOOK_AHEAD_BYTES_MAX), { stream: true });
      const found = kindOf(start);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const readerOf = ({ body }: Response) => (body ?? new Blob().stream()).getReader();

/**
 * Whether a body certainly has at most `bytesMax`: its length is known, and neither chunks nor compression make
 * that meaningless.
 */
function isShort({ headers }: Response, bytesMax: number): boolean {
  const length = headers.get("content-length") ?? "";
  const isAsSent = !headers.has("content-encoding") && !headers.has("transfer-encoding");
  return isAsSent && /^\d+$/.test(length) && Number(length) <= bytesMax;
}

/** Returns what a body that starts so is; undefined if that cannot be said yet. */
function kindOf(start: string): "events" | "json" | undefined {
  const line = start.replace(/^[\r\n]+/, "");
  if (FIRST_OF_EVENTS.some((field) => line.startsWith(field))) return "events";
  return /^\s*[[{]/.test(start) ? "json" : undefined;
}
