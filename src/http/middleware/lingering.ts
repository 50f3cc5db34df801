import { piecesOf } from "./body-pieces.ts";

/** The bounds of the rest of a body that is read after its response was sent. */
export interface LingerLimits {
  /** How much is read. What comes after that waits in the network, and stays unread. */
  bytesMax: number;
  /** The time for all of it. */
  withinMs: number;
}

/** For a request with a right key. */
export const PATIENT: LingerLimits = { bytesMax: 64 * 1024 * 1024, withinMs: 10_000 };

/** For a request without one: a client that reads while it sends needs no more. */
export const BRIEF: LingerLimits = { bytesMax: 128 * 1024, withinMs: 2_000 };

/** It also ends when nothing was read for this long. */
const SILENCE_MS = 1_000;

/** The statuses of responses that cannot have a body. */
const NO_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * Returns a response that is sent at once, but ends only when the rest of the request was read, within
 * limits. Then the connection is closed. If it were closed with unread bytes, most clients would report a
 * broken connection instead of the response: https://www.rfc-editor.org/rfc/rfc9112#section-9.6. `cut` ends
 * the reading early. `onEnd` is called once it has ended.
 */
export function lingering(
  request: Request,
  response: Response,
  limits: LingerLimits,
  { cut, onEnd }: { cut: AbortSignal; onEnd: () => void },
): Response {
  const { status, headers } = response;
  headers.set("connection", "close");
  // Without a stream for the body, as for a GET, the runtime would go on dropping what comes at full speed.
  if (NO_BODY.has(status) || request.method === "HEAD" || !request.body) {
    onEnd();
    return response;
  }
  const reader = response.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await reader?.read();
      if (next && !next.done) {
        controller.enqueue(next.value);
        return;
      }
      await readOn(request, limits, cut);
      onEnd();
      if (!request.signal.aborted) controller.close();
    },
    cancel(reason) {
      onEnd();
      return reader?.cancel(reason);
    },
  });
  headers.delete("content-length");
  return new Response(body, { status, headers });
}

function readOn({ body, signal }: Request, limits: LingerLimits, cut: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  for (const gone of [signal, cut]) {
    gone.addEventListener("abort", end);
    if (gone.aborted) end();
  }
  const silence = setTimeout(end, SILENCE_MS);
  const limit = setTimeout(end, limits.withinMs);
  // If another reader has the body, it reads on.
  if (body && !body.locked) {
    readPieces(body, limits.bytesMax, () => silence.refresh()).then((isWhole) => isWhole && end(), end);
  }
  return promise.finally(() => {
    clearTimeout(silence);
    clearTimeout(limit);
  });
}

/** Resolves with whether the whole body was read. */
async function readPieces(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
  onPiece: () => void,
): Promise<boolean> {
  let bytes = 0;
  for await (const piece of piecesOf(body)) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) return false;
    onPiece();
  }
  return true;
}
