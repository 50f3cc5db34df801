import type { LinkAgent, ServerLink } from "../../protocol/agent-link.ts";
import type { AgentFrame, ServerFrame } from "../../protocol/agent-v2.ts";
import type { Piece } from "../../protocol/bytes/window.ts";
import {
  type ConnectionEnd,
  type ConnectionHandlers,
  endOf,
  type ServerConnection,
} from "./server-connection.ts";

interface InProcessOptions extends ConnectionHandlers {
  link: LinkAgent;
}

/**
 * How much may be sent in one turn of the event loop. A socket holds an upstream that is faster than its reader
 * up; without one, the others would wait for as long.
 */
const TURN_LENGTH_MAX = 256 * 1024;

const HAS_ROOM = Promise.resolve();

/** A connection to the server in this process. */
export class InProcessConnection implements ServerConnection {
  /** The largest frame that the server accepts; infinite until the server is ready. */
  frameBytesMax = Number.POSITIVE_INFINITY;
  silenceMs: number | undefined;
  #link: ServerLink | undefined;
  #isOver = false;
  /** The frames of the server that were not read yet. */
  #unread: (ServerFrame | Piece)[] = [];
  #sentLength = 0;

  constructor(private readonly options: InProcessOptions) {
    void this.#open();
  }

  async #open(): Promise<void> {
    const { link, hello } = this.options;
    try {
      this.#link = await link({
        receive: (frame) => this.#receive(frame),
        receivePiece: (piece) => this.#receive(piece),
        closed: (code, reason) => queueMicrotask(() => this.#end(endOf(code, reason))),
      });
    } catch (error) {
      const { hint, message } = error as { hint?: string; message: string };
      this.#end({ reason: `refused: ${hint ?? message}`, final: false });
      return;
    }
    if (this.#isOver) this.#link.close();
    else this.send(hello());
  }

  send(frame: AgentFrame): boolean {
    if (frame.type === "delta") this.#sentLength += frame.data.length;
    return this.#isOver || (this.#link?.send(frame) ?? true);
  }

  sendPiece(piece: Piece): void {
    this.#sentLength += piece.bytes.byteLength;
    if (!this.#isOver) this.#link?.sendPiece(piece);
  }

  /** Lets others run once this turn of the event loop has sent a lot. */
  room(): Promise<void> {
    if (this.#sentLength < TURN_LENGTH_MAX || this.#isOver) return HAS_ROOM;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#sentLength = 0;
        resolve();
      });
    });
  }

  close(): void {
    this.#link?.close();
    queueMicrotask(() => this.#end({ reason: "closed", final: false }));
  }

  #receive(frame: ServerFrame | Piece): void {
    if (this.#unread.length === 0) queueMicrotask(() => this.#readAll());
    this.#unread.push(frame);
  }

  #readAll(): void {
    const frames = this.#unread;
    this.#unread = [];
    for (const frame of frames) {
      if (this.#isOver) return;
      if ("type" in frame) this.#read(frame);
      else this.options.onPiece(frame);
    }
  }

  #read(frame: ServerFrame): void {
    if (frame.type === "ready") {
      this.frameBytesMax = frame.limits.frame_bytes;
      this.silenceMs = frame.limits.silence_ms;
    }
    if (frame.type === "ping") this.send({ type: "pong" });
    this.options.onFrame(frame);
  }

  #end(end: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.options.onEnd(end);
  }
}
