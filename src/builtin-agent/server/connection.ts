import type { AgentFrame, ServerFrame } from "../../protocol/agent-v2.ts";
import type { Piece } from "../../protocol/bytes/window.ts";
import { PollingConnection } from "./polling.ts";
import type { Refusal } from "./refusal.ts";
import type { ConnectionEnd, ConnectionOptions, ServerConnection } from "./server-connection.ts";
import { SocketReturn } from "./socket-return.ts";
import { TransportChoice } from "./transport-choice.ts";
import { SocketConnection } from "./web-socket.ts";

export {
  type ConnectionEnd,
  type ConnectionHandlers,
  endOf,
  type FrameSender,
  type ServerConnection,
} from "./server-connection.ts";

/**
 * A connection to a server elsewhere: by a WebSocket or, where those do not get through, by long-polling. From that it
 * returns to a WebSocket by itself, once one works.
 */
export class Connection implements ServerConnection {
  readonly #choice: TransportChoice;
  #current: ServerConnection;
  #return: SocketReturn | undefined;
  /** The asks that the agent has. */
  readonly #asks = new Set<string>();
  #wasReady = false;
  #isOver = false;

  constructor(private readonly options: ConnectionOptions) {
    this.#choice = TransportChoice.of(options.server);
    this.#current = this.#choice.isPolling ? this.#startPolling() : this.#startSocket();
  }

  get frameBytesMax(): number {
    return this.#current.frameBytesMax;
  }

  get silenceMs(): number | undefined {
    return this.#current.silenceMs;
  }

  send(frame: AgentFrame): boolean {
    const isSent = this.#current.send(frame);
    if (isSent && (frame.type === "done" || frame.type === "fail")) this.#ended(frame.ask);
    return isSent;
  }

  sendPiece(piece: Piece): void {
    this.#current.sendPiece(piece);
  }

  room(): Promise<void> {
    return this.#current.room();
  }

  close(): void {
    this.#return?.stop();
    this.#current.close();
  }

  #startSocket(): ServerConnection {
    return new SocketConnection({
      ...this.options,
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#socketEnded(end),
    });
  }

  #startPolling(): ServerConnection {
    const polling = new PollingConnection({
      ...this.options,
      onFrame: (frame) => {
        if (frame.type === "ready") this.#pollingWorks(polling);
        this.#receive(frame);
      },
      onEnd: (end) => this.#pollingEnded(polling, end),
    });
    return polling;
  }

  #receive(frame: ServerFrame): void {
    if (frame.type === "ready") {
      this.#wasReady = true;
      if (!this.#choice.isPolling) this.#choice.socketWorks();
    }
    if (frame.type === "ask") this.#asks.add(frame.ask);
    this.options.onFrame(frame);
    if (frame.type === "cancel") this.#ended(frame.ask);
  }

  #ended(ask: string): void {
    if (this.#asks.delete(ask) && this.#asks.size === 0) this.#return?.idle();
  }

  #pollingWorks(polling: PollingConnection): void {
    const { log, server } = this.options;
    this.#choice.pollingWorks();
    log.info("long_polling", { server: server.label }, `${server.label}: connected by long-polling`);
    this.#return ??= new SocketReturn({
      ...this.options,
      choice: this.#choice,
      polling,
      isBusy: () => this.#asks.size > 0,
      onReturned: (socket) => this.#returned(polling, socket),
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#end(end),
    });
  }

  #returned(polling: PollingConnection, socket: SocketConnection): void {
    const { log, server } = this.options;
    this.#current = socket;
    this.#choice.socketWorks();
    polling.close();
    log.info(
      "websocket_works",
      { server: server.label },
      `${server.label}: WebSockets get through again; moved to one`,
    );
  }

  #socketEnded({ isBlocked, reason, final }: Refusal): void {
    const { log, server } = this.options;
    if (!this.#wasReady && this.#choice.socketFailed(isBlocked))
      log.warn(
        "websocket_blocked",
        { server: server.label, reason },
        `${server.label}: WebSockets do not get through, so the agent tries long-polling`,
      );
    this.#end({ reason, final });
  }

  #pollingEnded(
    polling: PollingConnection,
    { reason, final, wasReady }: ConnectionEnd & { wasReady: boolean },
  ): void {
    if (this.#current !== polling || this.#return?.pollingEnded(reason)) return;
    if (wasReady || final) this.#end({ reason, final });
    else if (this.#choice.pollingFailed()) this.#current = this.#startSocket();
    else this.#end({ reason, final });
  }

  #end(end: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#return?.stop();
    this.options.onEnd(end);
  }
}
