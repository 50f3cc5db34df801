import { CREDIT_BYTES, type Piece, WINDOW_BYTES } from "../../protocol/bytes/window.ts";
import type { AnswerPiece, UploadReader } from "../types.ts";

export interface ByteAsksOptions {
  /** Gives the agent credit for the answer of an ask. */
  giveCredit(ask: string, bytes: number): void;
  /** Sends a piece. Returns false if it cannot be sent, and nothing else can. */
  send(piece: Piece): boolean;
  /** Whether the socket takes more just now. When it does again, `drained` is called. */
  hasRoom(): boolean;
  /** The agent took some of the body of an ask. */
  onTaken(ask: string): void;
  /** The body of an ask cannot be read. */
  onBroken(ask: string, error: unknown): void;
}

interface ByteAsk {
  /** How many bytes of the body the agent may be sent. */
  credit: number;
  /** How many bytes of the answer have come that the caller has not taken, or that the agent does not know taken. */
  unpaid: number;
  /** Those of them that the caller has taken. */
  taken: number;
  /** Whether the agent may send bytes. */
  hasHead: boolean;
  /** Lets the body go on. */
  wake: () => void;
}

/**
 * The bodies and answers in bytes that pass through one agent's connection. Neither side ever holds more of one body
 * than a window: the receiver gives credit for what it has taken.
 */
export class ByteAsks {
  readonly #asks = new Map<string, ByteAsk>();

  constructor(private readonly options: ByteAsksOptions) {}

  /** The ask was sent. If it has a body in bytes, that follows. */
  begin(id: string, body: UploadReader | undefined): void {
    const ask = { credit: WINDOW_BYTES, unpaid: 0, taken: 0, hasHead: false, wake: () => {} };
    this.#asks.set(id, ask);
    if (body) void this.#send(id, ask, body);
  }

  /** The agent has taken more of the body. Returns false if it cannot have. */
  credit(id: string, bytes: number): boolean {
    const ask = this.#asks.get(id);
    if (!ask) return true;
    if (ask.credit + bytes > WINDOW_BYTES) return false;
    ask.credit += bytes;
    this.options.onTaken(id);
    ask.wake();
    return true;
  }

  /** The answer begins. Returns false if it cannot begin in bytes. */
  head(id: string): boolean {
    const ask = this.#asks.get(id);
    if (!ask || ask.hasHead) return false;
    ask.hasHead = true;
    return true;
  }

  /** Returns the piece for the caller, who has taken it when `free` is called; undefined if the agent may not send it. */
  receive({ ask: id, bytes }: Piece, free?: () => void): AnswerPiece | undefined {
    const ask = this.#asks.get(id);
    if (!ask?.hasHead || ask.unpaid + bytes.byteLength > WINDOW_BYTES) return undefined;
    ask.unpaid += bytes.byteLength;
    const { byteLength } = bytes;
    const taken = () => {
      free?.();
      this.#taken(id, ask, byteLength);
    };
    return { bytes, taken };
  }

  /** The socket takes more. */
  drained(): void {
    for (const { wake } of [...this.#asks.values()]) wake();
  }

  /** The ask has ended: nothing more of its body is sent. */
  end(id: string): void {
    const ask = this.#asks.get(id);
    this.#asks.delete(id);
    ask?.wake();
  }

  /** The connection has ended. */
  endAll(): void {
    for (const id of [...this.#asks.keys()]) this.end(id);
  }

  #taken(id: string, ask: ByteAsk, bytes: number): void {
    ask.taken += bytes;
    if (ask.taken < CREDIT_BYTES || this.#asks.get(id) !== ask) return;
    this.options.giveCredit(id, ask.taken);
    ask.unpaid -= ask.taken;
    ask.taken = 0;
  }

  async #send(id: string, ask: ByteAsk, body: UploadReader): Promise<void> {
    const isOpen = () => this.#asks.get(id) === ask;
    try {
      for (let bytes = await body.read(); bytes && isOpen(); bytes = await body.read()) {
        while (isOpen() && (ask.credit < bytes.byteLength || !this.options.hasRoom()))
          await new Promise<void>((resolve) => {
            ask.wake = resolve;
          });
        if (!isOpen()) return;
        ask.credit -= bytes.byteLength;
        if (!this.options.send({ ask: id, bytes })) return;
      }
    } catch (error) {
      if (isOpen()) this.options.onBroken(id, error);
    }
  }
}
