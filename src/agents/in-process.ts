import type { LinkedAgent, ServerLink } from "../protocol/agent-link.ts";
import type { AgentFrame, ServerFrame } from "../protocol/agent-v2.ts";
import { freeBytes } from "../protocol/bytes/free-bytes.ts";
import type { Piece } from "../protocol/bytes/window.ts";
import type { SentBytes } from "../relay/types.ts";
import type { AdmittedAgent } from "./connection.ts";
import { readFrame } from "./frames.ts";
import { V2Connection, type V2Options } from "./v2.ts";

/** The agent has read all that it was sent, as nothing waits on the way. */
const NOTHING_WAITS: SentBytes = { total: 0, buffered: 0, read: 0 };

/**
 * The connection of the agent inside this process. It passes the frames of v2 as objects, and checks those of the
 * agent as if they had come over a socket: what they contain is the upstream's.
 */
export class InProcessConnection extends V2Connection {
  constructor(
    options: V2Options,
    admitted: AdmittedAgent,
    private readonly linked: LinkedAgent,
    private readonly onClosed: () => void,
  ) {
    super(options, admitted);
    this.open({
      sendText: () => 0,
      getBufferedAmount: () => 0,
      close: (code, reason) => {
        this.closed();
        linked.closed(code, reason);
      },
    });
  }

  /** The server's side of the link, for the agent. */
  get link(): ServerLink {
    return {
      send: (frame) => this.#receive(frame),
      sendPiece: (piece) => this.#receivePiece(piece),
      close: () => this.closed(),
    };
  }

  /** Tells the agent that the server is going away. */
  announceDrain(reconnectMs: number): void {
    this.write({ type: "drain", reconnect_ms: reconnectMs });
  }

  override closed(): void {
    super.closed();
    this.onClosed();
  }

  override sentBytes(): SentBytes {
    return NOTHING_WAITS;
  }

  protected override write(frame: ServerFrame): boolean {
    if (!this.isOpen) return false;
    this.linked.receive(frame);
    return true;
  }

  protected override writePiece(piece: Piece): boolean {
    if (!this.isOpen) return false;
    // The sender writes the next bytes in the same place.
    this.linked.receivePiece({ ask: piece.ask, bytes: piece.bytes.slice() });
    return true;
  }

  #receivePiece({ ask, bytes }: Piece): void {
    if (!this.agent || !this.isOpen) return;
    // The sender frees its own.
    const copy = bytes.slice();
    this.piece({ ask, bytes: copy }, this.agent, () => freeBytes(copy));
  }

  #receive(frame: AgentFrame): boolean {
    if (!fits(frame, this.options.frameBytesMax)) return false;
    // An event without a name has nothing that could be wrong.
    if (this.isOpen)
      this.take(frame.type === "delta" && frame.event === undefined ? frame : readFrame(frame));
    return true;
  }
}

/** Whether what the upstream said in a frame has at most this many bytes. */
function fits(frame: AgentFrame, bytesMax: number): boolean {
  if (frame.type === "delta") return isWithin(frame.data, bytesMax);
  if (frame.type !== "done" && frame.type !== "fail") return true;
  const message = frame.type === "fail" ? frame.error.message : "";
  return isWithin(frame.body ?? "", bytesMax) && isWithin(message, bytesMax);
}

/** A UTF-16 unit takes at most three bytes in UTF-8. */
const isWithin = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax;
