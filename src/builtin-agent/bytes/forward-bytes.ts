import { isAnswerStatus } from "../../protocol/agent-v2.ts";
import { freeBytes } from "../../protocol/bytes/free-bytes.ts";
import { PIECE_BYTES_MAX } from "../../protocol/bytes/window.ts";
import { ENDED_EARLY, type EndFrame, failFrame } from "../end-frame.ts";
import type { ResponseBody } from "../response-body.ts";
import type { FrameSender } from "../server/connection.ts";
import type { CreditWindow } from "./credit-window.ts";

interface ForwardBytesOptions {
  /** The ask's id. */
  ask: string;
  server: FrameSender;
  window: CreditWindow;
  /** Nothing is sent after it is aborted. */
  signal: AbortSignal;
  /** Called when the answer begins. */
  begin: () => void;
}

/** A JSON answer of at most so many bytes is one frame: then it can be read, and another agent asked instead. */
const SMALL_BYTES = 64 * 1024;

const CONTENT_TYPE_LENGTH_MAX = 256;

/** Whether an answer is sent as bytes. The others are small JSON, errors, and pages of a gateway. */
export function isSentAsBytes({ ok, status, headers }: Response): boolean {
  if (!ok || !isAnswerStatus(status)) return false;
  const type = headers.get("content-type") ?? "";
  if (/^text\/html\b/i.test(type)) return false;
  const length = headers.get("content-length");
  return !/^application\/json\b/i.test(type) || length === null || Number(length) > SMALL_BYTES;
}

/** Sends an answer as it comes, no faster than its caller reads. A body that breaks off is a failure. */
export async function forwardBytes(
  response: Response,
  body: ResponseBody,
  { ask, server, window, signal, begin }: ForwardBytesOptions,
): Promise<EndFrame> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "application/octet-stream";
  begin();
  server.send({ type: "head", ask, status, content_type: type.slice(0, CONTENT_TYPE_LENGTH_MAX) });
  try {
    for (let part = await body.read(); !part.done; part = await body.read()) {
      for (let at = 0; at < part.value.byteLength; at += PIECE_BYTES_MAX) {
        const bytes = part.value.subarray(at, at + PIECE_BYTES_MAX);
        await window.take(bytes.byteLength, signal);
        signal.throwIfAborted();
        server.sendPiece({ ask, bytes });
        await server.room();
      }
      freeBytes(part.value);
    }
  } catch {
    return failFrame(ENDED_EARLY, false);
  }
  return { type: "done", status };
}
