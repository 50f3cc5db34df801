import { WINDOW_BYTES } from "../../protocol/bytes/window.ts";
import type { FrameOf, NodeFrame } from "../../protocol/node/frames.ts";
import type { AnswerHead, AnswerPiece, Upload } from "../../relay/types.ts";
import { RemoteUpload } from "./remote-upload.ts";

type Announced = { content_type: string; bytes: number };

/**
 * The bytes of an ask of another node that an agent of this one has. What the caller has taken is credit for the agent,
 * so no node holds more of them than a window in each direction.
 */
export class HeldBytes {
  readonly #upload: RemoteUpload | undefined;
  /** The pieces of the answer that the other node has not taken, the oldest first. */
  readonly #pieces: { left: number; taken: () => void }[] = [];

  /** `send` sends a frame to the node of the ask. It returns false if too much waits for that. */
  constructor(
    private readonly slot: string,
    private readonly send: (frame: NodeFrame) => boolean,
    announced: Announced | undefined,
  ) {
    const giveCredit = (bytes: number) => void send({ kind: "credit", slot, bytes });
    this.#upload =
      announced &&
      new RemoteUpload({ contentType: announced.content_type, bytes: announced.bytes, giveCredit });
  }

  /** The body; undefined if that is not in bytes. */
  get upload(): Upload | undefined {
    return this.#upload;
  }

  /** Bytes of the body have come. Returns false if they may not. */
  push({ data }: FrameOf<"bytes">): boolean {
    return this.#upload?.push(data) ?? false;
  }

  /** The caller's node has taken some of the answer. */
  credit(bytes: number): void {
    let left = Math.min(bytes, WINDOW_BYTES);
    for (let piece = this.#pieces[0]; piece && left > 0; piece = this.#pieces[0]) {
      const paid = Math.min(left, piece.left);
      piece.left -= paid;
      left -= paid;
      if (piece.left > 0) return;
      this.#pieces.shift();
      piece.taken();
    }
  }

  /** Passes the beginning of the answer on. Returns false if that cannot be done. */
  head({ status, contentType }: AnswerHead): boolean {
    return this.send({ kind: "head", slot: this.slot, status, content_type: contentType });
  }

  /** Passes bytes of the answer on. */
  piece({ bytes, taken }: AnswerPiece): boolean {
    this.#pieces.push({ left: bytes.byteLength, taken });
    return this.send({ kind: "bytes", slot: this.slot, data: bytes });
  }

  /** The ask has ended, or is given up. */
  end(): void {
    this.#upload?.end();
    this.#pieces.length = 0;
  }
}
