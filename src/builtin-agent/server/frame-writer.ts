import {
  type AgentFrame,
  LARGE_FRAME_BYTES,
  LIST_LENGTH_MAX,
  type ServerFrame,
} from "../../protocol/agent-v2.ts";
import { FrameBatch } from "./frame-batch.ts";

/** Makes messages of frames, within the limits that the server has told. */
export class FrameWriter {
  /** The largest frame that the server accepts; infinite until the server is ready. */
  frameBytesMax = Number.POSITIVE_INFINITY;
  silenceMs: number | undefined;
  readonly #batch: FrameBatch;

  constructor(sendNow: (text: string) => void) {
    this.#batch = new FrameBatch(sendNow);
  }

  /** The server has told its limits. */
  ready({ limits }: Extract<ServerFrame, { type: "ready" }>): void {
    this.frameBytesMax = limits.frame_bytes;
    this.silenceMs = limits.silence_ms;
    this.#batch.lengthMax = Math.min(limits.list_length ?? 0, LIST_LENGTH_MAX);
  }

  /** Sends a frame by the end of the turn. Returns false, and sends nothing, if it is larger than the server accepts. */
  send(frame: AgentFrame): boolean {
    const text = JSON.stringify(frame);
    // A UTF-16 unit takes at most three bytes in UTF-8.
    if (text.length * 3 > this.frameBytesMax && Buffer.byteLength(text) > this.frameBytesMax) return false;
    if (text.length >= LARGE_FRAME_BYTES && this.silenceMs !== undefined)
      this.#batch.send(JSON.stringify({ type: "announce", bytes: text.length } satisfies AgentFrame));
    this.#batch.send(text);
    return true;
  }

  /** Sends what is held. */
  flush(): void {
    this.#batch.flush();
  }
}
