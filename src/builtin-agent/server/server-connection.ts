import type { Clock } from "../../clock.ts";
import type { Log } from "../../log/log.ts";
import type { AgentFrame, HelloFrame, ServerFrame } from "../../protocol/agent-v2.ts";
import type { Piece } from "../../protocol/bytes/window.ts";
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
  /** Bytes of the body of an ask have come. */
  onPiece: (piece: Piece) => void;
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
  /** Sends bytes of an answer, after the frames that were sent before. They may be overwritten or freed afterwards. */
  sendPiece(piece: Piece): void;
  /** Resolves once there is room for more. */
  room(): Promise<void>;
}

/** A connection to the server, from the attempt to open it until it has ended. */
export interface ServerConnection extends FrameSender {
  /** Closes the connection. `onEnd` follows. */
  close(): void;
}

/**
 * Returns why the server has closed a connection. Codes 4000 to 4499 mean reconnect, 4500 to 4999 mean do not. Any
 * other says that it broke.
 */
export function endOf(code: number, text: string): ConnectionEnd {
  if (code >= 4000 && code < 5000) return { reason: `${text || "closed"} (${code})`, final: code >= 4500 };
  return { reason: `connection lost (${code})`, final: false };
}
