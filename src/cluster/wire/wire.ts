import type { Cancel, Clock } from "../../clock.ts";
import type { Log } from "../../log/log.ts";
import { printable } from "../../printable.ts";
import { NODE_PROTOCOL, NODE_PROTOCOL_OLDEST, type NodeFrame } from "../../protocol/node/frames.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { Delivery } from "./delivery.ts";
import { Hearing } from "./hearing.ts";
import { Members } from "./members.ts";
import { ALL, Messages, OVERHEAD_BYTES } from "./message.ts";
import type { Pair } from "./pair.ts";
import type { Transport } from "./transport.ts";

export interface WireOptions {
  clusterName: string;
  /** At least 32 characters, the same on all nodes. */
  clusterKey: string;
  nodeName: string;
  version: string;
  /** The largest body of a request, which a frame must be able to carry. */
  bodyBytesMax: number;
  /** The version of the frames that this node writes, and the oldest that it understands. Default: the program's. */
  protocol?: { writes: number; accepts: number };
  log: Pick<Log, "info" | "warn" | "error">;
  clock: Clock;
  /** Runs once the turn of the event loop is over. */
  soon: (run: () => void) => void;
}

/** The traffic of this node, counted for the metrics. */
export interface WireCounts {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** How often messages that were lost had to be sent again. */
  resends: number;
  /** How often this node and another had to begin anew. */
  resets: number;
  /** Frames of unknown kinds, malformed ones, and those in which a part failed. */
  framesIgnored: number;
  /** Messages without the right proof, for another node, or of an epoch that has ended. */
  messagesIgnored: number;
}

/** The link over NATS. */
export interface Wire extends Link {
  /** Throws a `CommandError` if this node may not send or receive what it must. */
  check(): Promise<void>;
  /** Announces this node, and passes on to the parts what the others send. */
  start(parts: readonly Part[]): void;
  /** Tells the others that this node is draining. */
  drain(): void;
  /** Tells the others that this node is gone, and closes the connection. Never rejects. */
  leave(): Promise<void>;
  /** Whether NATS is away. */
  isDegraded(): boolean;
  readonly counts: Readonly<WireCounts>;
}

const TICK_MS = 250;
const BEAT_MS = 1_000;
/** A node that is not heard for this long is lost. */
const SILENCE_MS = 5_000;
/** The others are lost once NATS has been away for this long. */
const AWAY_MS = 30_000;
/** A node at which nobody listens for this long is gone. One that connects again is back sooner. */
const UNANSWERED_MS = 1_000;
/** A message that is not acknowledged for this long will not be. Longer than NATS may be away. */
const UNACKNOWLEDGED_MS = AWAY_MS + 10_000;
/** A node that was heard, but does not answer, is forgotten after this long. */
const MEETING_MS = 10_000;
const BODY_BYTES_MIN = 512;
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;
/** A body is at most twice as long as text in a frame, where quotes and line breaks are escaped. */
const ESCAPED = 2;
const LOG_EVERY_MS = 60_000;

/** Meets the other nodes over a transport, and carries frames between them and the parts. */
export function createWire(options: WireOptions, transport: Transport): Wire {
  return new TransportWire(options, transport);
}

class TransportWire implements Wire {
  readonly self: NodeInfo;
  readonly #options: WireOptions;
  readonly #transport: Transport;
  readonly #messages: Messages;
  readonly #delivery: Delivery;
  readonly #hearing: Hearing;
  readonly #members: Members;
  readonly #protocol: { writes: number; accepts: number };
  /** The bytes that may wait for a node. */
  readonly #bufferedMax: number;
  readonly #traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, refused: 0 };
  #draining = false;
  #hasLeft = false;
  #beatAt = Number.NEGATIVE_INFINITY;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #stopTick: Cancel = () => {};

  constructor(options: WireOptions, transport: Transport) {
    const { clock, log, soon, nodeName, version } = options;
    const isDraining = () => this.#draining;
    this.self = {
      ...{ id: crypto.randomUUID(), name: printable(nodeName), version, startedAt: clock.now() },
      get draining() {
        return isDraining();
      },
    };
    this.#options = options;
    this.#transport = transport;
    this.#protocol = options.protocol ?? { writes: NODE_PROTOCOL, accepts: NODE_PROTOCOL_OLDEST };
    this.#bufferedMax = BUFFERED_BYTES_MAX + ESCAPED * options.bodyBytesMax;
    this.#messages = new Messages(options.clusterKey, options.clusterName);
    this.#delivery = new Delivery({ log, clock });
    this.#hearing = new Hearing(clock.now());
    this.#members = new Members({
      ...{ self: this.self, protocol: this.#protocol, delivery: this.#delivery, log },
      pair: {
        ...{ selfId: this.self.id, messages: this.#messages, clock, soon },
        publish: (nodeId, message) => this.#publish(nodeId, message),
        describe: () => this.#describe(),
        bodyMax: () => Math.max(BODY_BYTES_MIN, Math.floor(transport.payloadMax / 2) - OVERHEAD_BYTES),
        payloadMax: () => transport.payloadMax,
        largeBytesMax: this.#bufferedMax,
      },
    });
  }

  get nodes(): ReadonlyMap<string, NodeInfo> {
    return this.#members.nodes;
  }

  get counts(): WireCounts {
    const { refused, ...traffic } = this.#traffic;
    const { resends, resets, ignored } = this.#members;
    const messagesIgnored = refused + ignored;
    return { ...traffic, resends, resets, framesIgnored: this.#delivery.ignored, messagesIgnored };
  }

  isDegraded(): boolean {
    return this.#hearing.isAway;
  }

  send(nodeId: string, frame: NodeFrame): boolean {
    const pair = this.#members.pairs.get(nodeId);
    if (!pair?.isJoined) return false;
    const isSent = pair.add(frame);
    // Not at once: the caller may be in the middle of something.
    if (pair.bufferedBytes > 2 * this.#bufferedMax) this.#options.soon(() => this.#checkBuffer(pair));
    return isSent;
  }

  sendAll(frame: NodeFrame): void {
    for (const nodeId of this.nodes.keys()) this.send(nodeId, frame);
  }

  bufferedBytes(nodeId: string): number {
    return this.#members.pairs.get(nodeId)?.bufferedBytes ?? 0;
  }

  check(): Promise<void> {
    const { id } = this.self;
    // Others ignore a message for this node, and it carries nothing.
    return this.#transport.check(id, this.#messages.write({ from: id, to: id, epoch: "", peer: "" }, ""));
  }

  start(parts: readonly Part[]): void {
    const { clock } = this.#options;
    this.#delivery.parts = parts;
    this.#transport.listen(this.self.id, {
      message: (bytes) => this.#take(bytes),
      unanswered: (nodeId) => this.#noteUnanswered(nodeId),
      up: () => this.#noteUp(),
      down: () => this.#hearing.disconnected(clock.now()),
    });
    this.#tick();
  }

  drain(): void {
    this.#draining = true;
    this.#syncAll();
  }

  async leave(): Promise<void> {
    this.#stopTick();
    if (!this.#hasLeft) {
      this.#hasLeft = true;
      // The parts hand over what others need: that must arrive before the others learn that this node is gone.
      this.#delivery.stop();
      for (const pair of this.#members.pairs.values()) {
        pair.flush();
        pair.sync({ leave: true });
      }
    }
    await this.#transport.close();
  }

  #tick(): void {
    const { clock } = this.#options;
    this.#stopTick = clock.after(TICK_MS, () => this.#tick());
    const now = clock.now();
    if (now - this.#beatAt >= BEAT_MS) {
      this.#beatAt = now;
      this.#beat();
      this.#syncAll();
    }
    const { awayMs, isBack } = this.#hearing.tick(now);
    for (const pair of [...this.#members.pairs.values()]) {
      if (isBack) pair.heardAt = now;
      this.#check(pair, now, awayMs);
    }
  }

  #check(pair: Pair, now: number, awayMs: number): void {
    const members = this.#members;
    const { oldestAt } = pair.sent;
    const isUnanswered = pair.unansweredAt !== undefined && pair.unanswered > 1;
    if (awayMs > AWAY_MS) members.lose(pair, "nats_lost");
    else if (awayMs > 0) this.#checkBuffer(pair);
    else if (isUnanswered && now - (pair.unansweredAt ?? now) >= UNANSWERED_MS) members.lose(pair, "gone");
    else if (!pair.isJoined && now - pair.madeAt > MEETING_MS) members.lose(pair, "silent");
    else if (now - pair.heardAt > SILENCE_MS && pair.isJoined) members.lose(pair, "silent");
    else if (oldestAt !== undefined && now - oldestAt > UNACKNOWLEDGED_MS)
      members.reset(pair, "unacknowledged");
    else {
      this.#checkBuffer(pair);
      // Word of it may be forged. If somebody listens, the answer shows that.
      if (pair.unansweredAt !== undefined) pair.sync({ answer: true });
    }
  }

  #checkBuffer(pair: Pair): void {
    if (pair.sent.bytes > BUFFERED_BYTES_MAX || pair.bufferedBytes > 2 * this.#bufferedMax)
      this.#members.reset(pair, "buffer_full");
  }

  #beat(): void {
    const head = { from: this.self.id, to: ALL, epoch: "", peer: "" };
    const body = JSON.stringify({ ...this.#describe(), n: 0, sent: 0, got: 0 });
    this.#publish(undefined, this.#messages.write(head, body));
  }

  #syncAll(answer?: true): void {
    for (const pair of this.#members.pairs.values()) pair.sync(answer ? { answer } : {});
  }

  #noteUp(): void {
    this.#hearing.connected(this.#options.clock.now());
    this.#beat();
    this.#syncAll(true);
  }

  #noteUnanswered(nodeId: string): void {
    const pair = this.#members.pairs.get(nodeId);
    const now = this.#options.clock.now();
    if (!pair || this.#hearing.isNew(now)) return;
    pair.unansweredAt ??= now;
    pair.unanswered += 1;
  }

  #take(bytes: Uint8Array): void {
    this.#traffic.messagesIn += 1;
    this.#traffic.bytesIn += bytes.byteLength;
    const message = this.#messages.read(bytes);
    if (!message) this.#refuse();
    else if (message.head.from !== this.self.id) this.#members.take(message.head, message.body);
    else if (message.head.to === ALL) this.#hearing.heardSelf(this.#options.clock.now());
  }

  /** The sender is unknown, so there is one line for all. */
  #refuse(): void {
    const { clock, log } = this.#options;
    this.#traffic.refused += 1;
    if (clock.now() - this.#refusedAt < LOG_EVERY_MS) return;
    this.#refusedAt = clock.now();
    log.warn(
      "message_refused",
      { refused: this.#traffic.refused },
      "A message on the subjects of this cluster has no right proof: a node has another --cluster-key, or the cluster shares its --cluster-name with another.",
    );
  }

  #publish(nodeId: string | undefined, message: Uint8Array): boolean {
    this.#traffic.messagesOut += 1;
    this.#traffic.bytesOut += message.byteLength;
    return this.#transport.publish(nodeId, message);
  }

  #describe() {
    const { name, version, startedAt, draining } = this.self;
    const { writes: protocol, accepts } = this.#protocol;
    return { protocol, accepts, name, version, started_at: startedAt, draining };
  }
}
