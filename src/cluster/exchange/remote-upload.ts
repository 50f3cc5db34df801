import { freeBytes } from "../../protocol/bytes/free-bytes.ts";
import { CREDIT_BYTES, WINDOW_BYTES } from "../../protocol/bytes/window.ts";
import type { Upload, UploadReader } from "../../relay/types.ts";

interface RemoteUploadOptions {
  contentType: string;
  /** The number of all bytes. */
  bytes: number;
  /** Tells the other node that it may send as many more. */
  giveCredit: (bytes: number) => void;
}

/** The body of another node's ask, in bytes, as it comes. It can be read once. */
export class RemoteUpload implements Upload, UploadReader {
  readonly contentType: string;
  readonly bytes: number;
  readonly #pieces: Uint8Array[] = [];
  /** The piece that was read last. */
  #last: Uint8Array | undefined;
  /** The bytes that have not come, those that wait here, and those that were taken without credit for more. */
  #missing: number;
  #waiting = 0;
  #unpaid = 0;
  #isOpened = false;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(private readonly options: RemoteUploadOptions) {
    this.contentType = options.contentType;
    this.bytes = options.bytes;
    this.#missing = options.bytes;
  }

  /** The other node has put the name of the model into it. */
  open(): UploadReader {
    if (this.#isOpened) this.end();
    this.#isOpened = true;
    return this;
  }

  /** Takes the next bytes. Returns false, and breaks off, if they are more than were announced, or than there was credit for. */
  push(bytes: Uint8Array): boolean {
    this.#missing -= bytes.byteLength;
    this.#waiting += bytes.byteLength;
    const isRight = this.#missing >= 0 && this.#waiting <= WINDOW_BYTES;
    if (isRight && !this.#isOver) this.#pieces.push(bytes);
    else this.end();
    this.#wake();
    return isRight;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0 && this.#missing > 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#isOver) throw new Error("the body broke off at its node");
    if (this.#last) freeBytes(this.#last);
    const piece = this.#pieces.shift();
    this.#last = piece;
    if (piece) this.#taken(piece.byteLength);
    return piece;
  }

  /** Nothing more comes, or is read. */
  end(): void {
    this.#isOver = true;
    this.#pieces.length = 0;
    this.#wake();
  }

  #taken(bytes: number): void {
    this.#waiting -= bytes;
    this.#unpaid += bytes;
    if (this.#unpaid < CREDIT_BYTES || this.#missing === 0) return;
    this.options.giveCredit(this.#unpaid);
    this.#unpaid = 0;
  }
}
