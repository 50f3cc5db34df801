import { field, parseJson, textField } from "../json/parse.ts";
import type { Log } from "../log/log.ts";
import { AGENT_SUBPROTOCOL, type AgentFrame, type HelloFrame, ServerFrame } from "../protocol/agent-v2.ts";
import type { ServerAddress } from "./address.ts";
import type { Cancel, Clock } from "./clock.ts";
import { reasonOf, requestText } from "./http.ts";
import type { Replies } from "./replies.ts";

export type ReadyFrame = Extract<ServerFrame, { type: "ready" }>;

/** Why a connection is over. */
export interface Parting {
  /** For people. */
  reason: string;
  /** Coming back would be of no use. */
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
  /** Called once, and nothing after it. */
  onEnd: (parting: Parting) => void;
}

/** One socket to the server, from the first try to open it until it is over. */
export interface Connection extends Replies {
  /** Ends it in order; `onEnd` follows when the server has agreed, or after a second. */
  close(): void;
}

/** How long the upgrade may take, and again the server's `ready`. */
const OPEN_MS = 10_000;
/** The server pings every 30 s: three in a row are missing. */
const SILENCE_MS = 90_000;
const CLOSE_MS = 1000;
const REFUSAL_MS = 5000;
const REFUSAL_BYTES_MAX = 64 * 1024;

const BUFFER_BYTES_MAX = 1024 * 1024;
const BUFFER_LOOK_MS = 10;

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

  const end = (parting: Parting) => {
    if (isOver) return;
    isOver = true;
    cancelTimer();
    // Without the closing handshake, which one that hangs would not answer.
    ws.terminate();
    onEnd(parting);
  };
  const limit = (ms: number, reason: string) => {
    cancelTimer();
    cancelTimer = clock.after(ms, () => end({ reason, final: false }));
  };
  const send = (frame: AgentFrame): boolean => {
    const text = JSON.stringify(frame);
    // Three bytes is the most that a UTF-16 unit takes in UTF-8.
    if (text.length * 3 > frameBytesMax && Buffer.byteLength(text) > frameBytesMax) return false;
    if (!isOver && ws.readyState === WebSocket.OPEN) ws.send(text);
    return true;
  };

  limit(OPEN_MS, "no answer in time");
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
    if (isOpen) end(partingOf(code, reason));
    else
      end(
        await askWhyRefused(server, {
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
        await new Promise<void>((resolve) => clock.after(BUFFER_LOOK_MS, resolve));
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

/** Undefined for what is unknown, which a newer server may send, or malformed. */
function readFrame(data: unknown, log: Log): ServerFrame | undefined {
  const value = typeof data === "string" ? parseJson(data) : undefined;
  const { success, data: frame } = ServerFrame.safeParse(value);
  if (success) return frame;
  log.warn("frame_ignored", { type: textField(value, "type")?.slice(0, 64) });
  return undefined;
}

/** 4000 to 4499 mean come back, 4500 to 4999 do not; all else is an accident. */
function partingOf(code: number, text: string): Parting {
  if (code >= 4000 && code < 5000) return { reason: `${text || "closed"} (${code})`, final: code >= 4500 };
  return { reason: `connection lost (${code})`, final: false };
}

/**
 * A WebSocket tells nothing of the answer that refused it, so the same address is asked without one. A refusal
 * by key or origin is final; all else may pass.
 */
async function askWhyRefused(server: ServerAddress, init: BunFetchRequestInit): Promise<Parting> {
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
