import { CREDIT_BYTES, WINDOW_BYTES } from "../../protocol/bytes/window.ts";

interface IncomingBodyOptions {
  contentType: string;
  /** The number of all bytes. */
  bytes: number;
  /** Tells the server that it may send as many more. */
  giveCredit: (bytes: number) => void;
}

/** The body of an ask that comes from the server in pieces, for one request to the upstream. */
export class IncomingBody {
  readonly contentType: string;
  readonly bytes: number;
  readonly stream: ReadableStream<Uint8Array>;
  /** Called when the upstream takes some of it. */
  onTaken: () => void = () => {};
  readonly #pieces: Uint8Array[] = [];
  /** The bytes that have not come. */
  #missing: number;
  #waiting = 0;
  #unpaid = 0;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(private readonly options: IncomingBodyOptions) {
    this.contentType = options.contentType;
    this.bytes = options.bytes;
    this.#missing = options.bytes;
    const source = {
      pull: (controller: ReadableStreamDefaultController<Uint8Array>) => this.#pull(controller),
      cancel: () => this.end(),
    };
    this.stream = new ReadableStream(source, { highWaterMark: 0 });
  }

  /** Takes the next bytes. Bytes that nobody announced, or gave credit for, end the body. */
  push(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#missing -= bytes.byteLength;
    this.#waiting += bytes.byteLength;
    if (this.#missing < 0 || this.#waiting > WINDOW_BYTES) this.end();
    else this.#pieces.push(bytes);
    this.#wake();
  }

  /** Nothing more is read or taken. A body that is not complete breaks. */
  end(): void {
    this.#isOver = true;
    this.#pieces.length = 0;
    this.#wake();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#pieces.length === 0 && this.#missing > 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const piece = this.#pieces.shift();
    if (piece) {
      controller.enqueue(piece);
      this.#taken(piece.byteLength);
    } else if (this.#isOver) controller.error(new Error("the server broke the body off"));
    if (this.#pieces.length === 0 && this.#missing === 0) controller.close();
  }

  #taken(bytes: number): void {
    this.#waiting -= bytes;
    this.#unpaid += bytes;
    this.onTaken();
    if (this.#unpaid < CREDIT_BYTES || this.#missing === 0) return;
    this.options.giveCredit(this.#unpaid);
    this.#unpaid = 0;
  }
}
