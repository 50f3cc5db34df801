import { AppError } from "../errors.ts";
import type { Endpoint } from "../protocol/agent-v2.ts";
import { freeBytes } from "../protocol/bytes/free-bytes.ts";
import { readPiece } from "../protocol/bytes/pieces.ts";
import type { Piece } from "../protocol/bytes/window.ts";
import { hasByteAnswer } from "../protocol/endpoints.ts";
import type { Agent } from "../relay/agent.ts";
import { ByteAsks } from "../relay/bytes/byte-asks.ts";
import type { UploadReader } from "../relay/types.ts";
import { AgentConnection, type ConnectionOptions } from "./connection.ts";
import type { AnswerFrame } from "./frames.ts";

/** Bytes of bodies are held back while so many wait for the socket, so that other frames need not wait long. */
const WAITING_BYTES_MAX = 256 * 1024;

/** A connection that also carries bodies in bytes: see `ByteAsks`. */
export abstract class ByteConnection<Options extends ConnectionOptions> extends AgentConnection<Options> {
  /** Whether the agent and the carrier of the messages can. */
  protected takesBytes = false;
  /** Made with the first ask in bytes. */
  #bytes: ByteAsks | undefined;

  /** Something came for an ask that the agent does not have, any more at least. */
  protected abstract unexpectedFor(ask: string): void;

  /** Tells the agent that nobody waits for the ask. */
  protected abstract cancel(ask: string): boolean;

  /** Returns the endpoints of which the connection can carry the bodies. */
  protected possible(endpoints: readonly Endpoint[]): Endpoint[] {
    return endpoints.filter((endpoint) => this.takesBytes || !hasByteAnswer(endpoint));
  }

  /** The ask, which may be answered in bytes, was sent. Its body follows, if that is in bytes. */
  protected beginBytes(ask: string, body: UploadReader | undefined): void {
    this.#bytes ??= this.#byteAsks();
    this.#bytes.begin(ask, body);
  }

  protected endBytes(ask: string): void {
    this.#bytes?.end(ask);
  }

  #byteAsks(): ByteAsks {
    return new ByteAsks({
      giveCredit: (ask, bytes) => void this.write({ type: "credit", ask, bytes }),
      send: (piece) => this.writePiece(piece),
      hasRoom: () => this.sentBytes().buffered < WAITING_BYTES_MAX,
      onTaken: (ask) => this.agent && this.relay.alive(this.agent, ask),
      onBroken: (ask, cause) => {
        if (!this.agent) return;
        this.cancel(ask);
        this.relay.fail(this.agent, ask, new AppError("internal", { cause }), false);
      },
    });
  }

  override drained(): void {
    super.drained();
    this.#bytes?.drained();
  }

  override closed(): void {
    super.closed();
    this.#bytes?.endAll();
  }

  override receiveBytes(message: Uint8Array): void {
    const piece = readPiece(message);
    if (!piece || !this.agent) super.receiveBytes(message);
    else if (this.isOpen) this.piece(piece, this.agent, () => freeBytes(message));
  }

  /** A part of an answer in bytes. `free` is called when the caller has taken it. */
  protected piece(piece: Piece, agent: Agent, free?: () => void): void {
    if (!agent.holds(piece.ask)) {
      this.unexpectedFor(piece.ask);
      return;
    }
    const taken = this.#bytes?.receive(piece, free);
    if (taken) this.relay.delta(agent, piece.ask, { data: "", piece: taken });
    else this.refuse("frame_invalid", "bytes without a head, or above the credit");
  }

  protected answerBytes(frame: Extract<AnswerFrame, { type: "head" | "credit" }>, agent: Agent): void {
    const { ask, type } = frame;
    if (type === "credit") {
      if (this.#bytes?.credit(ask, frame.bytes) === false) this.refuse("frame_invalid", "credit: too much");
    } else if (this.#bytes?.head(ask)) {
      const { status, content_type: contentType } = frame;
      this.relay.delta(agent, ask, { data: "", head: { status, contentType } });
    } else this.refuse("frame_invalid", "head: the ask has no answer in bytes, or a head already");
  }
}
