import type { Cancel } from "../../clock.ts";
import { AGENT_SUBPROTOCOL, type AgentFrame, travelMs } from "../../protocol/agent-v2.ts";
import { readPiece, writePiece } from "../../protocol/bytes/pieces.ts";
import type { Piece } from "../../protocol/bytes/window.ts";
import { bearer } from "../http.ts";
import { FrameWriter } from "./frame-writer.ts";
import { readFrame } from "./read-frame.ts";
import { findRefusal, type Refusal } from "./refusal.ts";
import { type ConnectionOptions, endOf, type ServerConnection } from "./server-connection.ts";

export interface SocketOptions extends Omit<ConnectionOptions, "onEnd"> {
  /** Called once. No other callback follows. `isBlocked`: WebSockets may not get through. */
  onEnd: (end: Refusal) => void;
}

/** How long the upgrade may take, and then the server's `ready`. */
const OPEN_MS = 10_000;
/**
 * After this time without a frame, the agent pings the server on its part. The server pings every 30 s by
 * default, but may be set to ping less often.
 */
const QUIET_MS = 80_000;
const PONG_MS = 10_000;
const CLOSE_MS = 1000;

const BUFFER_BYTES_MAX = 1024 * 1024;
/** How often to look whether the buffer has drained: WebSockets have no event for it. */
const BUFFER_POLL_MS = 10;

/** Opens a WebSocket to the server, through the proxy if there is one. */
export function openSocket({ server, agentKey }: Pick<ConnectionOptions, "server" | "agentKey">) {
  const { url, proxy } = server;
  return new WebSocket(url, {
    protocols: [AGENT_SUBPROTOCOL],
    perMessageDeflate: false,
    headers: bearer(agentKey),
    ...(proxy && { proxy: proxy.url }),
  });
}

/** A connection by a WebSocket. */
export class SocketConnection implements ServerConnection {
  readonly #ws: WebSocket;
  readonly #writer = new FrameWriter((text) => this.#sendNow(text));
  #isOpen = false;
  #isOver = false;
  #cancelTimer: Cancel = () => {};

  constructor(private readonly options: SocketOptions) {
    this.#ws = openSocket(options);
    this.#endAfter(OPEN_MS, "no response in time");
    this.#ws.onopen = () => {
      this.#isOpen = true;
      this.#endAfter(OPEN_MS, "the server does not answer the hello");
      this.send(options.hello());
    };
    this.#ws.onmessage = ({ data }) => this.#receive(data);
    this.#ws.addEventListener("pong", () => this.#heard());
    this.#ws.onclose = ({ code, reason }) => void this.#closed(code, reason);
  }

  get frameBytesMax(): number {
    return this.#writer.frameBytesMax;
  }

  get silenceMs(): number | undefined {
    return this.#writer.silenceMs;
  }

  send(frame: AgentFrame): boolean {
    return this.#writer.send(frame);
  }

  sendPiece(piece: Piece): void {
    this.#writer.flush();
    this.#sendNow(writePiece(piece));
  }

  #sendNow(text: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#isOver && this.#ws.readyState === WebSocket.OPEN) this.#ws.send(text);
  }

  async room(): Promise<void> {
    while (!this.#isOver && this.#ws.bufferedAmount > BUFFER_BYTES_MAX)
      await new Promise<void>((resolve) => this.options.clock.after(BUFFER_POLL_MS, resolve));
  }

  /** Closes the socket properly: `onEnd` follows once the server has agreed, or after a second. */
  close(): void {
    this.#writer.flush();
    this.#endAfter(CLOSE_MS, "closed");
    this.#ws.close(1000, "leaving");
  }

  get #isReady(): boolean {
    return Number.isFinite(this.frameBytesMax);
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    const piece = data instanceof Uint8Array ? readPiece(data) : undefined;
    if (piece) {
      this.options.onPiece(piece);
      this.#heard();
      return;
    }
    const frame = readFrame(data, this.options.log);
    if (frame?.type === "ready") this.#writer.ready(frame);
    if (frame?.type === "ping") this.send({ type: "pong" });
    if (frame) this.options.onFrame(frame);
    this.#heard(frame?.type === "announce" ? travelMs(Math.min(frame.bytes, this.frameBytesMax)) : 0);
  }

  /** The server has sent something: from now on it may be silent for a while again, and for `moreMs`. */
  #heard(moreMs = 0): void {
    if (!this.#isReady || this.#isOver) return;
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.after(QUIET_MS + moreMs, () => {
      this.#ws.ping();
      this.#awaitPong(this.#ws.bufferedAmount);
    });
  }

  /** The ping may wait behind what this agent sends. Then the server has time as long as it takes some of it. */
  #awaitPong(bufferedBytes: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.after(PONG_MS, () => {
      const nowBytes = this.#ws.bufferedAmount;
      if (nowBytes < bufferedBytes) this.#awaitPong(nowBytes);
      else this.#end({ reason: "the server is silent", final: false, isBlocked: false });
    });
  }

  async #closed(code: number, reason: string): Promise<void> {
    if (this.#isOver) return;
    if (!this.#isOpen) return this.#end(await findRefusal(this.options));
    const isBroken = code < 4000;
    this.#end({ ...endOf(code, reason), isBlocked: isBroken && !this.#isReady });
  }

  /** Ends the connection after this time, unless another limit is set before. */
  #endAfter(ms: number, reason: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.after(ms, () =>
      this.#end({ reason, final: false, isBlocked: !this.#isReady }),
    );
  }

  #end(end: Refusal): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    // Without the closing handshake: a server that hangs would not answer it.
    this.#ws.terminate();
    this.options.onEnd(end);
  }
}
