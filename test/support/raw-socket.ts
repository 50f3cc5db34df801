import { createHash, randomBytes } from "node:crypto";
import { agentHeaders } from "./agent-key.ts";
import { type ByteSource, connectSource, type ResponseHead, takeBody, takeHead } from "./byte-source.ts";
import { decodeFrame, encodeFrame, type Frame, OPCODE } from "./websocket-frame.ts";

/**
 * A WebSocket client (RFC 6455) that does nothing by itself: it parses frames, answers pings and sees a close
 * frame only inside `receive`, like a program that handles its frames one by one on a single thread. Tests
 * need it to misbehave, which a library does not.
 */
export interface RawSocket {
  /**
   * Resolves with the next whole message; undefined once the connection has ended. Allows one call at a time.
   */
  receive(): Promise<Message | undefined>;
  /** Sends one frame: by default text, whole and masked. */
  send(payload: string | Uint8Array, options?: Partial<Frame> & { masked?: boolean }): void;
  /** Sends one text message with a frame for each part. */
  sendFragments(parts: readonly string[]): void;
  /** Sends bytes unchanged: half a frame, two at once, nonsense. */
  sendBytes(bytes: Uint8Array): void;
  /**
   * Sends a ping. Resolves with true once a `receive` meets its pong, with false if the connection ends
   * first.
   */
  ping(): Promise<boolean>;
  /** Starts the closing handshake. `receive` reads its other half. */
  close(code?: number, reason?: string): void;
  /** Cuts the connection without a close frame. */
  destroy(): void;
  /** How the connection ended: the server's close frame, or 1006 if there was none. */
  readonly ended: Promise<Ending>;
  /** Whether `receive` answers a ping. */
  answersPings: boolean;
}

export interface Message {
  binary: boolean;
  text: string;
}

export interface Ending {
  code: number;
  reason: string;
}

export interface Handshake extends ResponseHead {
  /** The body of a refusal. */
  body: string;
  /** The socket, if the server switched protocols. */
  socket?: RawSocket;
}

interface HandshakeOptions {
  /** Headers that are added or replaced. Undefined leaves one out. */
  headers?: Record<string, string | undefined>;
  /** The agent key; null sends none. Default: that of the server, if a test has started it. */
  key?: string | null;
  /** The address to connect from, such as another one of 127.0.0.0/8. */
  localAddress?: string;
}

// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Connects and reads the response's head. Throws only if there is no HTTP response. */
export async function shakeHands(url: string, options: HandshakeOptions = {}): Promise<Handshake> {
  const { host, pathname, search } = new URL(url);
  const key = randomBytes(16).toString("base64");
  const headers: Record<string, string | undefined> = {
    Host: host,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
    ...agentHeaders(url, options.headers, options.key),
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const source = connectSource(url, options.localAddress);
  source.write([`GET ${pathname}${search} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  const head = await takeHead(source);
  if (!head) throw new Error(`${host} ended the connection without an answer.`);
  if (head.status !== 101) {
    const body = await takeBody(source, head);
    source.socket.destroy();
    return { ...head, body };
  }
  const accept = createHash("sha1").update(`${headers["Sec-WebSocket-Key"]}${GUID}`).digest("base64");
  if (head.headers.get("sec-websocket-accept") !== accept) throw new Error("Sec-WebSocket-Accept is wrong.");
  return { ...head, body: "", socket: new WebSocketClient(source) };
}

/** Does the same, and throws if the server does not switch protocols. */
export async function openRawSocket(url: string, options: HandshakeOptions = {}): Promise<RawSocket> {
  const { socket, status, body } = await shakeHands(url, options);
  if (!socket) throw new Error(`${new URL(url).host} refused the upgrade with ${status}: ${body}`);
  return socket;
}

type DecodedFrame = Frame & { payload: Buffer };

class WebSocketClient implements RawSocket {
  answersPings = true;
  readonly #source: ByteSource;
  readonly #ended = Promise.withResolvers<Ending>();
  readonly #pongs = new Map<string, (answered: boolean) => void>();
  #unfinished: { binary: boolean; parts: Buffer[] } | undefined;
  #receiving = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  readonly send: RawSocket["send"] = (payload, options) => this.#source.write(encodeFrame(payload, options));

  readonly destroy = (): void => this.#finish(1006, "");

  readonly ping = (): Promise<boolean> => {
    if (this.#source.done) return Promise.resolve(false);
    const name = randomBytes(4).toString("hex");
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#pongs.set(name, resolve);
    this.send(name, { opcode: OPCODE.ping });
    return promise;
  };

  sendBytes(bytes: Uint8Array): void {
    this.#source.write(bytes);
  }

  sendFragments(parts: readonly string[]): void {
    for (const [at, part] of parts.entries()) {
      this.send(part, {
        opcode: at === 0 ? OPCODE.text : OPCODE.continuation,
        fin: at === parts.length - 1,
      });
    }
  }

  close(code = 1000, reason = ""): void {
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code, 0);
    payload.write(reason, 2);
    this.send(payload, { opcode: OPCODE.close });
  }

  async receive(): Promise<Message | undefined> {
    if (this.#receiving) throw new Error("Only one receive is allowed at a time.");
    this.#receiving = true;
    try {
      return await this.#nextMessage();
    } finally {
      this.#receiving = false;
    }
  }

  async #nextMessage(): Promise<Message | undefined> {
    const source = this.#source;
    for (;;) {
      const decoded = decodeFrame(source.bytes);
      if (!decoded) {
        if (source.done) {
          this.#finish(1006, "");
          return;
        }
        await source.more();
        continue;
      }
      source.bytes = source.bytes.subarray(decoded.size);
      if (decoded.frame.opcode >= OPCODE.close) {
        this.#takeControl(decoded.frame);
        continue;
      }
      const message = this.#takeData(decoded.frame);
      if (message) return message;
    }
  }

  #takeData({ fin, opcode, payload }: DecodedFrame): Message | undefined {
    this.#unfinished ??= { binary: opcode === OPCODE.binary, parts: [] };
    const { binary, parts } = this.#unfinished;
    parts.push(payload);
    if (!fin) return;
    this.#unfinished = undefined;
    return { binary, text: Buffer.concat(parts).toString() };
  }

  #takeControl({ opcode, payload }: DecodedFrame): void {
    if (opcode === OPCODE.ping) {
      if (this.answersPings) this.send(payload, { opcode: OPCODE.pong });
    } else if (opcode === OPCODE.pong) {
      this.#pongs.get(payload.toString())?.(true);
      this.#pongs.delete(payload.toString());
    } else {
      this.send(payload, { opcode: OPCODE.close });
      this.#finish(payload.length < 2 ? 1005 : payload.readUInt16BE(0), payload.subarray(2).toString());
    }
  }

  #finish(code: number, reason: string): void {
    this.#ended.resolve({ code, reason });
    for (const resolve of this.#pongs.values()) resolve(false);
    this.#pongs.clear();
    this.#source.done = true;
    this.#source.bytes = Buffer.alloc(0);
    this.#source.socket.destroy();
  }
}
