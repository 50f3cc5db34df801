import { PIECE_BYTES_MAX } from "../../protocol/bytes/window.ts";
import type { Upload, UploadReader } from "../../relay/types.ts";
import type { Spool } from "../../spool.ts";
import type { FoundField } from "./form-fields.ts";

/** The bytes that are read at once. */
const READ_BYTES = 256 * 1024;

/** A part of a body: bytes, or a range of the stored body. */
type Part = Uint8Array | { from: number; to: number };

interface StoredFormOptions {
  contentType: string;
  boundary: string;
  spool: Spool;
  /** The field with the name of the model, if it has one. */
  model: FoundField | undefined;
}

/** A form that was received, and is sent on unchanged but for the name of the model. */
export class StoredForm implements Upload {
  constructor(private readonly options: StoredFormOptions) {}

  get contentType(): string {
    return this.options.contentType;
  }

  get bytes(): number {
    return this.options.spool.bytes;
  }

  open(model: string): UploadReader {
    const { spool, model: found, boundary } = this.options;
    const { bytes } = spool;
    if (model === found?.value) return new PartsReader(spool, [{ from: 0, to: bytes }]);
    const { from, to } = found ?? { from: 0, to: 0 };
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n`;
    const value = new TextEncoder().encode(found ? model : `${head}${model}\r\n`);
    return new PartsReader(spool, [{ from: 0, to: from }, value, { from: to, to: bytes }]);
  }
}

class PartsReader implements UploadReader {
  readonly bytes: number;
  readonly #parts: Part[];
  /** The bytes that were read and not returned yet. */
  #ahead: Uint8Array = new Uint8Array();
  #buffer: Uint8Array | undefined;

  constructor(
    private readonly spool: Spool,
    parts: readonly Part[],
  ) {
    this.#parts = parts.filter((part) => lengthOf(part) > 0);
    this.bytes = this.#parts.reduce((sum, part) => sum + lengthOf(part), 0);
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#ahead.byteLength === 0) await this.#readAhead();
    if (this.#ahead.byteLength === 0) return undefined;
    const bytes = this.#ahead.subarray(0, PIECE_BYTES_MAX);
    this.#ahead = this.#ahead.subarray(bytes.byteLength);
    return bytes;
  }

  async #readAhead(): Promise<void> {
    const part = this.#parts.shift();
    if (!part) return;
    if (part instanceof Uint8Array) {
      this.#ahead = part;
      return;
    }
    const { from, to } = part;
    this.#buffer ??= new Uint8Array(Math.min(this.bytes, READ_BYTES));
    const bytes = await this.spool.read(from, this.#buffer.subarray(0, to - from));
    if (bytes.byteLength === 0) throw new Error("the stored body is shorter than it was");
    this.#ahead = bytes;
    if (from + bytes.byteLength < to) this.#parts.unshift({ from: from + bytes.byteLength, to });
  }
}

const lengthOf = (part: Part): number => (part instanceof Uint8Array ? part.byteLength : part.to - part.from);
