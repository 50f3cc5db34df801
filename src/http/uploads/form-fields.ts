import { FormFault, wantedName } from "./part-head.ts";

/*
 * Finds the small fields of a form (`multipart/form-data`, RFC 7578) in its bytes as they pass. Nothing of a file is
 * kept.
 */

/** A field with the place of its value in the body. */
export interface FoundField {
  name: string;
  value: string;
  /** The positions of its first byte, and of that after its last. */
  from: number;
  to: number;
}

/** The bytes that the head of one part may have. */
const HEAD_BYTES_MAX = 16 * 1024;
const VALUE_BYTES_MAX = 1024;
const PARTS_MAX = 1000;
const DASHES = "--";
const SPACES: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n"));

/**
 * Reads a form piece by piece. `push` and `end` throw a `FormFault` if the form is not one, has too many parts, or could be
 * read in more than one way.
 */
export class FormFields {
  readonly found: FoundField[] = [];
  readonly #delimiter: Buffer;
  /** The bytes that were not decided about yet, and their position. */
  #rest: Buffer;
  #at: number;
  #state: "part" | "head" | "over" = "part";
  /** The name of the present part if it is wanted, with the position of its value. */
  #part: { name: string; from: number; value: Buffer[]; bytes: number } | undefined;
  #parts = 0;
  /** Whether the first delimiter was found. */
  #hasBegun = false;

  constructor(
    boundary: string,
    private readonly wanted: ReadonlySet<string>,
  ) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
    // The first delimiter may be the first line.
    this.#rest = Buffer.from("\r\n");
    this.#at = -2;
  }

  push(piece: Uint8Array): void {
    if (this.#state === "over") checkEnd(piece);
    if (this.#state === "over" || this.#isAllFile(asBuffer(piece))) return;
    this.#rest = this.#rest.byteLength === 0 ? asBuffer(piece) : Buffer.concat([this.#rest, piece]);
    while (this.#state === "head" ? this.#readHead() : this.#state === "part" && this.#readPart());
    // Nothing of the piece is kept: it may be part of a large buffer.
    this.#rest = Buffer.from(this.#rest);
  }

  /** The form is complete. */
  end(): void {
    if (this.#state !== "over") throw new FormFault("its end is missing");
  }

  /** Passes over a piece that is within a part of no interest, without copying it. Returns whether it is. */
  #isAllFile(piece: Buffer): boolean {
    const keptBytes = this.#delimiter.byteLength - 1;
    if (this.#state !== "part" || this.#part || !this.#hasBegun || piece.byteLength < keptBytes) return false;
    const seam = Buffer.concat([this.#rest, piece.subarray(0, keptBytes)]);
    if (seam.includes(this.#delimiter) || piece.includes(this.#delimiter)) return false;
    this.#at += this.#rest.byteLength + piece.byteLength - keptBytes;
    this.#rest = Buffer.from(piece.subarray(piece.byteLength - keptBytes));
    return true;
  }

  /** Reads up to the next delimiter. Returns whether there was one. */
  #readPart(): boolean {
    const end = this.#rest.indexOf(this.#delimiter);
    if (!this.#hasBegun) this.#checkBeginning(end);
    if (end === -1) {
      this.#drop(Math.max(this.#rest.byteLength - this.#delimiter.byteLength + 1, 0));
      return false;
    }
    this.#drop(end);
    this.#endPart();
    this.#drop(this.#delimiter.byteLength, false);
    this.#state = "head";
    return true;
  }

  /** Nothing but a line break may stand before the first delimiter. */
  #checkBeginning(end: number): void {
    this.#hasBegun = end !== -1;
    const earliest = this.#hasBegun ? end : this.#rest.byteLength - this.#delimiter.byteLength + 1;
    if (this.#at + earliest > 0) throw new FormFault("it does not begin with its boundary");
  }

  /** Reads the head of a part. Returns whether it is complete. */
  #readHead(): boolean {
    if (this.#rest.byteLength < DASHES.length) return false;
    if (this.#rest.indexOf(DASHES) === 0) {
      this.#state = "over";
      checkEnd(this.#rest.subarray(DASHES.length));
      this.#rest = Buffer.alloc(0);
      return false;
    }
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end === -1 || end > HEAD_BYTES_MAX) {
      if (this.#rest.byteLength > HEAD_BYTES_MAX) throw new FormFault("the head of a part is too long");
      return false;
    }
    if (++this.#parts > PARTS_MAX) throw new FormFault(`it has more than ${PARTS_MAX} parts`);
    const [padding, ...lines] = this.#rest.toString("latin1", 0, end).split("\r\n");
    if (padding?.trim() !== "") throw new FormFault("a boundary is followed by something else");
    const name = wantedName(lines.join("\r\n"), this.wanted);
    this.#drop(end + 4, false);
    if (name !== undefined) this.#part = { name, from: this.#at, value: [], bytes: 0 };
    this.#state = "part";
    return true;
  }

  #endPart(): void {
    const part = this.#part;
    this.#part = undefined;
    if (!part) return;
    const value = Buffer.concat(part.value).toString("utf8");
    this.found.push({ name: part.name, value, from: part.from, to: part.from + part.bytes });
  }

  /** Leaves so many bytes behind, which are of the part's value if `isValue`. */
  #drop(bytes: number, isValue = true): void {
    if (isValue && this.#part) {
      this.#part.bytes += bytes;
      if (this.#part.bytes > VALUE_BYTES_MAX) throw new FormFault(`the field ${this.#part.name} is too long`);
      this.#part.value.push(Buffer.from(this.#rest.subarray(0, bytes)));
    }
    this.#rest = this.#rest.subarray(bytes);
    this.#at += bytes;
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Nothing may follow the end of a form: a program might read on there. */
function checkEnd(bytes: Uint8Array): void {
  if (!bytes.every((byte) => SPACES.has(byte))) throw new FormFault("something follows its end");
}
