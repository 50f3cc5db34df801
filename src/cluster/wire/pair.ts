import type { Clock } from "../../clock.ts";
import type { NodeFrame } from "../../protocol/node/frames.ts";
import type { Sync } from "../../protocol/node/sync.ts";
import type { NodeInfo } from "../part.ts";
import type { Head, Messages, RoomyBody } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { SendWindow } from "./send-window.ts";
import { Received, Sent } from "./sequence.ts";

export interface PairOptions {
  selfId: string;
  messages: Messages;
  clock: Clock;
  /** Sends to the node; false if that cannot be done at this time. */
  publish: (nodeId: string, message: Uint8Array) => boolean;
  soon: (run: () => void) => void;
  bodyMax: () => number;
  /** Returns the largest message that NATS takes, in bytes. */
  payloadMax: () => number;
  /** The bytes of large frames that may wait here, and that may arrive at once. */
  largeBytesMax: number;
  /** Takes the text of a large frame, or the body of a message with frames, in the order in which they were sent. */
  deliver: (pair: Pair, given: string | Buffer) => void;
  /** Called when the node has sent more than it may. */
  tooLarge: (pair: Pair) => void;
  /** Returns what this node says of itself. */
  describe: () => Omit<Sync, "n" | "sent" | "got">;
}

/** The requests that a message without frames may have. */
type Request = Pick<Sync, "resend" | "answer" | "leave">;

/** The part of the window for pieces of large frames. The rest is for the frames between them. */
const PIECES_SHARE = 3 / 4;
/** A node acknowledges after as many bytes, and every second. */
const ACKNOWLEDGE_BYTES = 256 * 1024;
/** Large frames that may arrive at once. */
const ASSEMBLING_MAX = 64;

/** The state between this node and another, from their first message until one end begins anew. */
export class Pair {
  readonly id: string;
  /** This end's epoch. */
  readonly epoch = Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString("base64url");
  readonly sent = new Sent();
  readonly madeAt: number;
  /** The last the node said of itself. */
  info: NodeInfo | undefined;
  /** Both ends know each other's epochs, so frames may pass. */
  isJoined = false;
  heardAt: number;
  /** When NATS said that nobody listens there; undefined if it has not, or the node was heard since. */
  unansweredAt: number | undefined;
  unanswered = 0;
  /** How often lost messages were sent again. */
  resends = 0;
  readonly #options: PairOptions;
  readonly #outbox: Outbox;
  readonly #window: SendWindow;
  /** The other end was asked to acknowledge what has arrived. */
  #isAskedForRoom = false;
  #peerEpoch = "";
  #syncsSent = 0;
  #syncsHeard = 0;
  #received = new Received();
  #unacknowledgedBytes = 0;
  #assembling = new Map<number, { texts: string[]; bytes: number }>();
  #assemblingBytes = 0;

  constructor(id: string, options: PairOptions) {
    this.id = id;
    this.#options = options;
    this.madeAt = options.clock.now();
    this.heardAt = this.madeAt;
    this.#window = new SendWindow(options.payloadMax(), this.madeAt);
    this.#outbox = new Outbox({
      bodyMax: options.bodyMax,
      lengthMax: options.largeBytesMax,
      soon: options.soon,
      hasRoom: () => this.#hasRoomForPieces(),
      sendFrames: (body) => this.#send({}, body),
      sendPiece: (text, piece, isLast) => this.#send({ piece, last: isLast || undefined }, text),
      sendBytes: (body) => this.#sendBytes(body),
    });
  }

  /** The other end's epoch; empty until it is known. */
  get peerEpoch(): string {
    return this.#peerEpoch;
  }

  /** The bytes that wait or are not acknowledged. */
  get bufferedBytes(): number {
    return this.sent.bytes + this.#outbox.bytes;
  }

  /** Learns the epoch of the other end, before both have joined. */
  meet(peerEpoch: string): void {
    if (peerEpoch === this.#peerEpoch) return;
    this.#peerEpoch = peerEpoch;
    this.#received = new Received();
    this.#syncsHeard = 0;
  }

  /** Whether a message is of these two epochs. */
  isOf({ epoch, peer }: Head): boolean {
    return epoch === this.#peerEpoch && peer === this.epoch;
  }

  /** Whether the message is newer than all of its kind that were taken: one that was recorded is not. */
  isNewer({ n }: Sync): boolean {
    return n > this.#syncsHeard;
  }

  /** Returns false if the frame is large, and too much waits before it. */
  add(frame: NodeFrame): boolean {
    return this.#outbox.add(frame);
  }

  /** Sends what this end knows. */
  sync(request: Request = {}): void {
    const { messages, describe, publish } = this.#options;
    this.#unacknowledgedBytes = 0;
    this.#syncsSent += 1;
    const body = {
      ...describe(),
      n: this.#syncsSent,
      sent: this.sent.passed,
      got: this.#received.last,
      ...request,
    };
    publish(this.id, messages.write(this.#head({}), JSON.stringify(body)));
  }

  /** Takes what the other end knows. Returns false if it asks for messages that are gone. */
  synced({ n, sent, got, resend, answer }: Sync): boolean {
    this.#syncsHeard = n;
    this.#heard();
    const { onTheWay } = this.sent;
    this.sent.acknowledge(got);
    this.#received.know(sent);
    this.#askForMissing();
    if (answer) this.sync();
    // Without progress something was lost, for which the other end asks in its time.
    if (this.sent.onTheWay < onTheWay || resend !== undefined) this.#isAskedForRoom = false;
    const isKept = resend === undefined || this.#sendAgain(resend);
    this.#pass();
    this.#outbox.flush();
    return isKept;
  }

  /** Takes a message with frames, or with a piece of one. */
  take({ seq = 0, piece, last }: Head, body: Buffer): void {
    const isNext = this.#received.take(seq, this.#options.clock.now());
    if (isNext) {
      this.#heard();
      this.#unacknowledgedBytes += body.byteLength;
      if (piece === undefined) this.#options.deliver(this, body);
      else this.#assemble(piece, last === true, body);
    }
    if (this.#unacknowledgedBytes > ACKNOWLEDGE_BYTES) this.sync();
    this.#askForMissing();
  }

  /** Sends all that can be sent, for the last time. */
  flush(): void {
    this.#outbox.flush();
    this.#pass(Number.POSITIVE_INFINITY);
  }

  #heard(): void {
    this.heardAt = this.#options.clock.now();
    this.unansweredAt = undefined;
    this.unanswered = 0;
  }

  #askForMissing(): void {
    const resend = this.#received.ask(this.#options.clock.now());
    if (resend !== undefined) this.sync({ resend });
  }

  #sendAgain(from: number): boolean {
    if (!this.sent.goBack(from)) return false;
    this.#window.lost(this.#options.clock.now());
    this.resends += 1;
    return true;
  }

  get #windowBytes(): number {
    return this.#window.bytesAt(this.#options.clock.now());
  }

  /** Passes on messages as far as the window has room. */
  #pass(bytesMax = this.#windowBytes): void {
    const { sent } = this;
    for (let message = sent.next; message; message = sent.next) {
      const { onTheWay } = sent;
      if (onTheWay > 0 && onTheWay + message.byteLength > bytesMax) {
        this.#askForRoom();
        return;
      }
      // What cannot be sent goes first once it can.
      if (!this.#options.publish(this.id, message)) return;
      sent.passNext();
    }
  }

  #hasRoomForPieces(): boolean {
    const hasRoom = this.sent.pieceBytes < PIECES_SHARE * this.#windowBytes;
    if (!hasRoom) this.#askForRoom();
    return hasRoom;
  }

  #askForRoom(): void {
    if (this.#isAskedForRoom) return;
    this.#isAskedForRoom = true;
    this.sync({ answer: true });
  }

  #assemble(piece: number, isLast: boolean, bytes: Buffer): void {
    const { largeBytesMax, deliver, tooLarge } = this.#options;
    const part = this.#assembling.get(piece) ?? { texts: [], bytes: 0 };
    this.#assembling.set(piece, part);
    part.texts.push(bytes.toString());
    part.bytes += bytes.byteLength;
    this.#assemblingBytes += bytes.byteLength;
    const isTooMuch = this.#assemblingBytes > largeBytesMax || this.#assembling.size > ASSEMBLING_MAX;
    if (isTooMuch) tooLarge(this);
    if (isTooMuch || !isLast) return;
    this.#assembling.delete(piece);
    this.#assemblingBytes -= part.bytes;
    deliver(this, part.texts.join(""));
  }

  #send(fields: Pick<Head, "piece" | "last">, body: string): void {
    const head = this.#head({ ...fields, seq: this.sent.last + 1 });
    this.#keep(this.#options.messages.write(head, body), fields.piece !== undefined);
  }

  #sendBytes(body: RoomyBody): void {
    const head = this.#head({ seq: this.sent.last + 1 });
    this.#keep(this.#options.messages.complete(head, body), true);
  }

  #keep(message: Uint8Array, isPiece: boolean): void {
    this.sent.add(message, this.#options.clock.now(), isPiece);
    this.#pass();
  }

  #head(fields: Pick<Head, "seq" | "piece" | "last">): Head {
    return { from: this.#options.selfId, to: this.id, epoch: this.epoch, peer: this.#peerEpoch, ...fields };
  }
}
