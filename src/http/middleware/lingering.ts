import { piecesOf } from "./body-pieces.ts";

/** The bounds of the rest that is read: its bytes, the time for all of it, and the time without a byte. */
const BYTES_MAX = 64 * 1024 * 1024;
const WITHIN_MS = 10_000;
const SILENCE_MS = 1_000;

/**
 * Returns a response that is sent at once, but ends only when the rest of the request was read, within bounds.
 * A connection that is closed with unread bytes is reset, and most clients then report a broken connection
 * instead of the response: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function lingering(request: Request, response: Response): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(await response.bytes());
      await readOn(request);
      if (!request.signal.aborted) controller.close();
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

function readOn({ body, signal }: Request): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  const silence = setTimeout(resolve, SILENCE_MS);
  const limit = setTimeout(resolve, WITHIN_MS);
  // If another reader has the body, it reads on.
  if (body && !body.locked) readPieces(body, () => silence.refresh()).then(resolve, resolve);
  return promise.finally(() => {
    clearTimeout(silence);
    clearTimeout(limit);
  });
}

async function readPieces(body: ReadableStream<Uint8Array>, onPiece: () => void): Promise<void> {
  let bytes = 0;
  for await (const piece of piecesOf(body)) {
    bytes += piece.byteLength;
    if (bytes > BYTES_MAX) return;
    onPiece();
  }
}
