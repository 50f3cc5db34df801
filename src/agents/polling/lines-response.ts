import { LINES_TYPE, writeLines } from "../../protocol/agent-polling.ts";
import type { SessionAnswer } from "./session.ts";

/** A larger body is passed on in pieces, so that its progress shows. */
const PIECE_BYTES = 64 * 1024;

/** Follows a large answer while it is sent, and can end it. */
interface Sending {
  /** Called with the bytes that the runtime has taken. */
  taken(bytes: number): void;
  /** Ends the answer, and the connection. */
  cut: AbortSignal;
}

/** Returns the response. `begin` is called for a large one. */
export function linesResponse({ head, messages }: SessionAnswer, begin?: () => Sending): Response {
  const text = writeLines(head, messages);
  const headers = { "content-type": LINES_TYPE };
  if (!begin || text.length <= PIECE_BYTES) return new Response(text, { headers });
  const { taken, cut } = begin();
  let bytes = new TextEncoder().encode(text);
  let sent = 0;
  // The signal outlives the answer, and would keep its bytes.
  const free = () => {
    bytes = new Uint8Array();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut.addEventListener("abort", () => {
          free();
          controller.error(cut.reason);
        });
      },
      pull(controller) {
        // The runtime asks for more when it has written what it got.
        if (sent > 0) taken(PIECE_BYTES);
        controller.enqueue(bytes.subarray(sent, sent + PIECE_BYTES));
        sent += PIECE_BYTES;
        if (sent < bytes.length) return;
        free();
        controller.close();
      },
      cancel: free,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}
