/*
 * A model server that answers at once, as the callers wish. It is the same for our server and for those that it is
 * compared with. Prints its port, and ends with the process that started it.
 */
import { completionOf, deltaOf, eventOf, MODEL, STREAM_END, wishOf } from "../answers.ts";

interface Stream {
  controller: ReadableStreamDefaultController<string>;
  id: string;
  deltas: number;
  /** The event with the usage, for a request that asks for it. */
  usage: string;
  sent: number;
}

/** Each stream sends a delta in every turn of the event loop, so that they interleave. */
const busy = new Set<Stream>();
let isPumping = false;

function pump(): void {
  for (const stream of busy) {
    const { controller, id, deltas, usage } = stream;
    if (stream.sent < deltas) controller.enqueue(eventOf(deltaOf(id, stream.sent++)));
    else {
      controller.enqueue(usage + eventOf(STREAM_END));
      controller.close();
      busy.delete(stream);
    }
  }
  isPumping = busy.size > 0;
  if (isPumping) setImmediate(pump);
}

function streamed(id: string, deltas: number, asksUsage: boolean): Response {
  const usage = asksUsage ? eventOf(usageOf(id)) : "";
  let stream: Stream | undefined;
  const body = new ReadableStream<string>({
    start(controller) {
      stream = { controller, id, deltas, usage, sent: 0 };
      busy.add(stream);
      if (!isPumping) setImmediate(pump);
      isPumping = true;
    },
    cancel: () => void (stream && busy.delete(stream)),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function usageOf(id: string): string {
  const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
  return JSON.stringify({
    id: `chatcmpl-${id}`,
    object: "chat.completion.chunk",
    model: MODEL,
    choices: [],
    usage,
  });
}

const invalid = (): Response =>
  Response.json({ error: { message: "messages are missing" } }, { status: 400 });

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: 0,
  async fetch(request) {
    const { url, method } = request;
    if (url.endsWith("/v1/models"))
      return Response.json({ object: "list", data: [{ id: MODEL, object: "model" }] });
    if (method !== "POST" || !url.endsWith("/v1/chat/completions")) return new Response("", { status: 404 });
    const { messages, stream, stream_options } = (await request.json()) as {
      messages?: { content: string }[];
      stream?: boolean;
      stream_options?: { include_usage?: boolean };
    };
    const content = messages?.at(-1)?.content;
    if (content === undefined) return invalid();
    const { id, deltas, padding } = wishOf(content);
    if (stream) return streamed(id, deltas, stream_options?.include_usage === true);
    return new Response(completionOf(id, padding), { headers: { "content-type": "application/json" } });
  },
});

process.on("disconnect", () => process.exit());
process.stderr.write(`http://127.0.0.1:${server.port}\n`);
