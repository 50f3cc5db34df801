import type { Cancel, Clock } from "../../clock.ts";
import { field, parseJson, textField } from "../../json/parse.ts";
import type { Log } from "../../log/log.ts";
import {
  AGENT_SUBPROTOCOL,
  type AgentFrame,
  type HelloFrame,
  LARGE_FRAME_BYTES,
  LIST_LENGTH_MAX,
  ServerFrame,
  travelMs,
} from "../../protocol/agent-v2.ts";
import { bearer, failureOf, requestText } from "../http.ts";
import { FrameBatch } from "./frame-batch.ts";
import type { ServerAddress } from "./server-address.ts";

/** Why a connection has ended. */
export interface ConnectionEnd {
  /** The reason for people. */
  reason: string;
  /** Whether reconnecting is of no use. */
  final: boolean;
}

/** The functions that a connection calls. */
export interface ConnectionHandlers {
  /** Returns the first frame to send. */
  hello: () => HelloFrame;
  onFrame: (frame: ServerFrame) => void;
  /** Called once. No other callback follows. */
  onEnd: (end: ConnectionEnd) => void;
}

export interface ConnectionOptions extends ConnectionHandlers {
  server: ServerAddress;
  agentKey: string | undefined;
  clock: Clock;
  log: Log;
}

/** The part of a connection that sends frames. */
export interface FrameSender {
  /** The largest frame that the server accepts; infinite until the server is ready. */
  readonly frameBytesMax: number;
  /** The shortest silence for which an ask may fail; undefined for a server that knows no `alive`. */
  readonly silenceMs: number | undefined;
  /** Sends a frame. Returns false, and sends nothing, if the frame is larger than the server accepts. */
  send(frame: AgentFrame): boolean;
  /** Resolves once there is room for more. */
  room(): Promise<void>;
}

/** A connection to the server, from the attempt to open it until it has ended. */
export interface ServerConnection extends FrameSender {
  /** Closes the connection. `onEnd` follows. */
  close(): void;
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
const REFUSAL_MS = 5000;
const REFUSAL_BYTES_MAX = 64 * 1024;
/** Statuses that a server has for no agent, but web sites and other APIs do. */
const NO_SERVER = new Set([200, 204, 301, 302, 303, 307, 308, 404, 405, 501]);
const NO_SERVER_HINT = ". Is that a chatgpt-api-server? Check the address";

const BUFFER_BYTES_MAX = 1024 * 1024;
/** How often to look whether the buffer has drained: WebSockets have no event for it. */
const BUFFER_POLL_MS = 10;

/** A connection by a WebSocket. */
export class Connection implements ServerConnection {
  frameBytesMax = Number.POSITIVE_INFINITY;
  silenceMs: number | undefined;
  readonly #ws: WebSocket;
  readonly #batch = new FrameBatch((text) => this.#sendNow(text));
  #isOpen = false;
  #isOver = false;
  #cancelTimer: Cancel = () => {};

  constructor(private readonly options: ConnectionOptions) {
    this.#ws = new WebSocket(options.server.url, {
      protocols: [AGENT_SUBPROTOCOL],
      perMessageDeflate: false,
      headers: bearer(options.agentKey),
    });
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

  send(frame: AgentFrame): boolean {
    const text = JSON.stringify(frame);
    // A UTF-16 unit takes at most three bytes in UTF-8.
    if (text.length * 3 > this.frameBytesMax && Buffer.byteLength(text) > this.frameBytesMax) return false;
    if (text.length >= LARGE_FRAME_BYTES && this.silenceMs !== undefined)
      this.#batch.send(JSON.stringify({ type: "announce", bytes: text.length } satisfies AgentFrame));
    this.#batch.send(text);
    return true;
  }

  #sendNow(text: string): void {
    if (!this.#isOver && this.#ws.readyState === WebSocket.OPEN) this.#ws.send(text);
  }

  async room(): Promise<void> {
    while (!this.#isOver && this.#ws.bufferedAmount > BUFFER_BYTES_MAX)
      await new Promise<void>((resolve) => this.options.clock.after(BUFFER_POLL_MS, resolve));
  }

  /** Closes the socket properly: `onEnd` follows once the server has agreed, or after a second. */
  close(): void {
    this.#batch.flush();
    this.#endAfter(CLOSE_MS, "closed");
    this.#ws.close(1000, "leaving");
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    const frame = readFrame(data, this.options.log);
    if (frame?.type === "ready") {
      this.frameBytesMax = frame.limits.frame_bytes;
      this.silenceMs = frame.limits.silence_ms;
      this.#batch.lengthMax = Math.min(frame.limits.list_length ?? 0, LIST_LENGTH_MAX);
    }
    if (frame?.type === "ping") this.send({ type: "pong" });
    if (frame) this.options.onFrame(frame);
    this.#heard(frame?.type === "announce" ? travelMs(Math.min(frame.bytes, this.frameBytesMax)) : 0);
  }

  /** The server has sent something: from now on it may be silent for a while again, and for `moreMs`. */
  #heard(moreMs = 0): void {
    const isReady = Number.isFinite(this.frameBytesMax);
    if (!isReady || this.#isOver) return;
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
      else this.#end({ reason: "the server is silent", final: false });
    });
  }

  async #closed(code: number, reason: string): Promise<void> {
    if (this.#isOver) return;
    this.#end(this.#isOpen ? endOf(code, reason) : await findRefusal(this.options));
  }

  /** Ends the connection after this time, unless another limit is set before. */
  #endAfter(ms: number, reason: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.after(ms, () => this.#end({ reason, final: false }));
  }

  #end(end: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    // Without the closing handshake: a server that hangs would not answer it.
    this.#ws.terminate();
    this.options.onEnd(end);
  }
}

/** Returns undefined if the frame is malformed, or unknown because the server is newer. */
function readFrame(data: unknown, log: Log): ServerFrame | undefined {
  const value = typeof data === "string" ? parseJson(data) : undefined;
  const { success, data: frame } = ServerFrame.safeParse(value);
  if (success) return frame;
  log.warn("frame_ignored", { type: textField(value, "type")?.slice(0, 64) });
  return undefined;
}

/**
 * Returns why the server has closed a connection. Codes 4000 to 4499 mean reconnect, 4500 to 4999 mean do not. Any
 * other says that it broke.
 */
export function endOf(code: number, text: string): ConnectionEnd {
  if (code >= 4000 && code < 5000) return { reason: `${text || "closed"} (${code})`, final: code >= 4500 };
  return { reason: `connection lost (${code})`, final: false };
}

/**
 * Sends the same request without an upgrade, as a WebSocket does not show the response that refused it. A
 * refusal because of the key or the origin is final, any other may pass.
 */
async function findRefusal(options: ConnectionOptions): Promise<ConnectionEnd> {
  const url = options.server.url.replace(/^ws/, "http");
  const headers = { ...bearer(options.agentKey), "sec-websocket-protocol": AGENT_SUBPROTOCOL };
  try {
    const { response, text } = await requestText(url, {
      // The WebSocket uses no proxy of the environment either.
      init: { headers, proxy: false },
      limitMs: REFUSAL_MS,
      bytesMax: REFUSAL_BYTES_MAX,
    });
    const body = parseJson(text ?? "");
    const hint =
      textField(body, "hint") ?? textField(body, "error") ?? textField(field(body, "error"), "message");
    const { status } = response;
    const final = status === 401 || status === 403;
    const isTls = status === 400 && /\bhttps\b/i.test(text ?? "");
    const advice = isTls ? tlsHint(url) : NO_SERVER.has(status) ? NO_SERVER_HINT : "";
    return { reason: `refused (${status})${hint ? `: ${hint}` : ""}${advice}`, final };
  } catch (error) {
    const { reason, words } = failureOf(error);
    return { reason: words + (reason === "connection reset" ? tlsHint(url) : ""), final: false };
  }
}

/**
 * Returns a question for people whose plain request a server with TLS seems to have got. Such a server cuts the
 * connection, or answers 400 with a text that names HTTPS, as nginx does.
 */
function tlsHint(url: string): string {
  return url.startsWith("http:") ? ". Does this server speak TLS? Then use https:// in its address" : "";
}
