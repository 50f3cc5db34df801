import type { Cancel, Clock } from "../clock.ts";
import { field, parseJson, textField } from "../json/parse.ts";
import type { Log } from "../log/log.ts";
import { AGENT_SUBPROTOCOL, type AgentFrame, type HelloFrame, ServerFrame } from "../protocol/agent-v2.ts";
import { reasonOf, requestText } from "./http.ts";
import type { ServerAddress } from "./server-address.ts";

export type ReadyFrame = Extract<ServerFrame, { type: "ready" }>;

/** Why a connection has ended. */
export interface ConnectionEnd {
  /** The reason for people. */
  reason: string;
  /** Whether reconnecting is of no use. */
  final: boolean;
}

export interface ConnectionOptions {
  server: ServerAddress;
  agentKey: string | undefined;
  anyCertificate?: boolean;
  hello: () => HelloFrame;
  clock: Clock;
  log: Log;
  onReady: (frame: ReadyFrame) => void;
  onFrame: (frame: ServerFrame) => void;
  /** Called once. No other callback follows. */
  onEnd: (end: ConnectionEnd) => void;
}

/** Sends frames to the server. */
export interface FrameSender {
  /** The largest frame that the server accepts. */
  frameBytesMax: number;
  /** Sends a frame. Returns false, and sends nothing, if the frame is larger than that. */
  send(frame: AgentFrame): boolean;
  /** Resolves once the socket has room for more. */
  room(): Promise<void>;
}

/** One WebSocket to the server, from the attempt to open it until it has ended. */
export interface Connection extends FrameSender {
  /** Closes the socket properly. `onEnd` follows once the server has agreed, or after a second. */
  close(): void;
}

/** How long the upgrade may take, and then the server's `ready`. */
const OPEN_MS = 10_000;
/** The server pings every 30 s. This is three missed pings. */
const SILENCE_MS = 90_000;
const CLOSE_MS = 1000;
const REFUSAL_MS = 5000;
const REFUSAL_BYTES_MAX = 64 * 1024;

const BUFFER_BYTES_MAX = 1024 * 1024;
/** How often to look whether the buffer has drained: WebSockets have no event for it. */
const BUFFER_POLL_MS = 10;

export function openConnection(options: ConnectionOptions): Connection {
  const { server, agentKey, anyCertificate, hello, clock, log, onReady, onFrame, onEnd } = options;
  const headers: Record<string, string> =
    agentKey === undefined ? {} : { authorization: `Bearer ${agentKey}` };
  const tls = anyCertificate === true ? { tls: { rejectUnauthorized: false } } : {};
  const ws = openSocket(server.url, { headers, ...tls });
  let isOver = false;
  let isOpen = false;
  let frameBytesMax = Number.POSITIVE_INFINITY;
  let cancelTimer: Cancel = () => {};

  const end = (how: ConnectionEnd) => {
    if (isOver) return;
    isOver = true;
    cancelTimer();
    // Without the closing handshake: a server that hangs would not answer it.
    ws.terminate();
    onEnd(how);
  };
  const limit = (ms: number, reason: string) => {
    cancelTimer();
    cancelTimer = clock.after(ms, () => end({ reason, final: false }));
  };
  const send = (frame: AgentFrame): boolean => {
    const text = JSON.stringify(frame);
    // A UTF-16 unit takes at most three bytes in UTF-8.
    if (text.length * 3 > frameBytesMax && Buffer.byteLength(text) > frameBytesMax) return false;
    if (!isOver && ws.readyState === WebSocket.OPEN) ws.send(text);
    return true;
  };

  limit(OPEN_MS, "no response in time");
  ws.onopen = () => {
    isOpen = true;
    limit(OPEN_MS, "the server does not answer the hello");
    send(hello());
  };
  ws.onmessage = ({ data }) => {
    if (isOver) return;
    const frame = readFrame(data, log);
    if (frame?.type === "ready") {
      frameBytesMax = frame.limits.frame_bytes;
      connection.frameBytesMax = frameBytesMax;
      onReady(frame);
    }
    if (frame?.type === "ping") send({ type: "pong" });
    if (frame && frame.type !== "ready") onFrame(frame);
    if (Number.isFinite(frameBytesMax) && !isOver) limit(SILENCE_MS, "the server is silent");
  };
  ws.onclose = async ({ code, reason }) => {
    if (isOver) return;
    if (isOpen) end(endOf(code, reason));
    else
      end(
        await findRefusal(server, {
          headers: { ...headers, "sec-websocket-protocol": AGENT_SUBPROTOCOL },
          ...tls,
        }),
      );
  };

  const connection = {
    frameBytesMax,
    send,
    async room() {
      while (!isOver && ws.bufferedAmount > BUFFER_BYTES_MAX)
        await new Promise<void>((resolve) => clock.after(BUFFER_POLL_MS, resolve));
    },
    close() {
      limit(CLOSE_MS, "closed");
      ws.close(1000, "leaving");
    },
  };
  return connection;
}

function openSocket(url: string, options: Bun.WebSocketOptions): WebSocket {
  return new WebSocket(url, { protocols: [AGENT_SUBPROTOCOL], perMessageDeflate: false, ...options });
}

/** Returns undefined if the frame is malformed, or unknown because the server is newer. */
function readFrame(data: unknown, log: Log): ServerFrame | undefined {
  const value = typeof data === "string" ? parseJson(data) : undefined;
  const { success, data: frame } = ServerFrame.safeParse(value);
  if (success) return frame;
  log.warn("frame_ignored", { type: textField(value, "type")?.slice(0, 64) });
  return undefined;
}

/** 4000 to 4499 mean reconnect, 4500 to 4999 mean do not. Any other code is an accident. */
function endOf(code: number, text: string): ConnectionEnd {
  if (code >= 4000 && code < 5000) return { reason: `${text || "closed"} (${code})`, final: code >= 4500 };
  return { reason: `connection lost (${code})`, final: false };
}

/**
 * Sends the same request without an upgrade, as a WebSocket does not show the response that refused it. A
 * refusal because of the key or the origin is final, any other may pass.
 */
async function findRefusal(server: ServerAddress, init: BunFetchRequestInit): Promise<ConnectionEnd> {
  const url = server.url.replace(/^ws/, "http");
  try {
    const { response, text } = await requestText(url, {
      init,
      limitMs: REFUSAL_MS,
      bytesMax: REFUSAL_BYTES_MAX,
    });
    const body = parseJson(text ?? "");
    const hint =
      textField(body, "hint") ?? textField(body, "error") ?? textField(field(body, "error"), "message");
    const final = response.status === 401 || response.status === 403;
    return { reason: `refused (${response.status})${hint ? `: ${hint}` : ""}`, final };
  } catch (error) {
    return { reason: `cannot be reached (${reasonOf(error).reason})`, final: false };
  }
}
