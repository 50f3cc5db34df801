/*
 * An upstream with audio: it counts the bytes of a form, and sends as many bytes of speech as `input` says. Prints its
 * port, and ends with the process that started it.
 */
import { MODEL } from "../answers.ts";

const PIECE = new Uint8Array(64 * 1024).fill(1);

function bytesOf(count: number): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      controller.enqueue(piece);
      if (left === 0) controller.close();
    },
  });
}

async function countBytes(body: ReadableStream<Uint8Array> | null): Promise<number> {
  let bytes = 0;
  for await (const piece of body ?? []) bytes += piece.length;
  return bytes;
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/v1/models":
        return Response.json({ object: "list", data: [{ id: MODEL, object: "model" }] });
      case "/v1/audio/transcriptions":
        return Response.json({ text: String(await countBytes(request.body)) });
      case "/v1/audio/speech": {
        const { input } = (await request.json()) as { input?: string };
        // The agent asks so which endpoints there are.
        if (input === undefined)
          return Response.json({ error: { message: "input is missing" } }, { status: 400 });
        return new Response(bytesOf(Number(input)), { headers: { "content-type": "audio/mpeg" } });
      }
      default:
        return new Response("", { status: 404 });
    }
  },
});

process.on("disconnect", () => process.exit());
process.stderr.write(`http://127.0.0.1:${server.port}\n`);
