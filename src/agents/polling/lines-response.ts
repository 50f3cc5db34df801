import { LINES_TYPE, writeLines } from "../../protocol/agent-polling.ts";
import type { SessionAnswer } from "./session.ts";

/** A larger body is passed on in pieces, so that its progress shows. */
const PIECE_BYTES = 64 * 1024;

/** Returns the response. `onTaken` is called with the bytes of a large one that the runtime has taken. */
export function linesResponse(
  { head, messages }: SessionAnswer,
  onTaken?: (bytes: number) => void,
): Response {
  const text = writeLines(head, messages);
  const headers = { "content-type": LINES_TYPE };
  if (!onTaken || text.length <= PIECE_BYTES) return new Response(text, { headers });
  const bytes = new TextEncoder().encode(text);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        // The runtime asks for more when it has written what it got.
        if (sent > 0) onTaken(PIECE_BYTES);
        controller.enqueue(bytes.subarray(sent, sent + PIECE_BYTES));
        sent += PIECE_BYTES;
        if (sent >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}
