import { CommandError } from "../errors.ts";

/** How long a small file may take. */
const SMALL_FILE_MS = 60_000;

/** Reads a text of at most this many bytes. Throws a `CommandError` if it is longer, or takes too long. */
export async function readAtMost(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of withinTime(body, SMALL_FILE_MS)) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new CommandError("A file of the release is longer than it may be.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Yields the chunks of a stream. Throws a `CommandError` when it breaks, or when all of it takes longer than `limitMs`. */
export async function* withinTime(
  body: ReadableStream<Uint8Array>,
  limitMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), limitMs);
  try {
    for (;;) {
      const result = await Promise.race([reader.read(), late.promise]);
      if (result === "late")
        throw new CommandError(`The download took longer than ${limitMs / 60_000} minutes. Try again.`);
      if (result.done) return;
      yield result.value;
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError("The download broke off. Try again.", { cause: error });
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {});
  }
}
