/**
 * Yields a body in pieces, at most one for each turn of the event loop. The runtime joins what arrives between
 * two reads. Otherwise it makes an object for each chunk of the transfer encoding, and a million chunks of one
 * byte would hold everybody up for seconds. When the loop over it ends, somebody else may read on.
 */
export async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
      await new Promise(setImmediate);
    }
  } finally {
    reader.releaseLock();
  }
}
