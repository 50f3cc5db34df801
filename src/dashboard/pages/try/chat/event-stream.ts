import { createParser } from "eventsource-parser";

/**
 * Reads the data of server-sent events, each as soon as it is complete. At the end of the stream the last
 * event counts even if the blank line after it is missing, because some model servers leave it out.
 */
export async function* readEventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const complete: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => complete.push(data) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    parser.feed(done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true }));
    yield* complete.splice(0);
    if (done) return;
  }
}
