/*
 * The physical limit that the transport of bytes is compared with: the runtime's own HTTP server, and one agent on its
 * socket, which takes one request at a time as binary frames. It checks, counts, logs and stores nothing. Prints its port,
 * and ends with the process that started it.
 */

/** The first frame of a request or an answer. Binary frames follow, and a frame with the text `END`. */
interface Head {
  path: string;
  contentType: string;
}

const END = "end";

let agent: Bun.ServerWebSocket<undefined> | undefined;
let answer: ((response: Response) => void) | undefined;
let pieces: ReadableStreamDefaultController<Uint8Array> | undefined;
let drained = Promise.withResolvers<void>();

async function relay(request: Request): Promise<Response> {
  const socket = agent;
  if (!socket) return new Response("[]");
  const answered = new Promise<Response>((resolve) => {
    answer = resolve;
  });
  const head: Head = {
    path: new URL(request.url).pathname,
    contentType: request.headers.get("content-type") ?? "",
  };
  socket.sendText(JSON.stringify(head));
  for await (const piece of request.body ?? []) {
    drained = Promise.withResolvers();
    if (socket.sendBinary(piece) < 0) await drained.promise;
  }
  socket.sendText(END);
  return answered;
}

function begin({ contentType }: Head): void {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      pieces = controller;
    },
  });
  answer?.(new Response(body, { headers: { "content-type": contentType } }));
}

const server = Bun.serve<undefined>({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  fetch(request, self) {
    if (request.headers.has("upgrade") && self.upgrade(request)) return;
    return relay(request);
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    maxPayloadLength: 64 * 1024 * 1024,
    open(socket) {
      agent = socket;
    },
    drain: () => drained.resolve(),
    message(_, message) {
      if (typeof message !== "string") pieces?.enqueue(message);
      else if (message === END) pieces?.close();
      else begin(JSON.parse(message));
    },
  },
});

process.on("disconnect", () => process.exit());
process.stderr.write(`http://127.0.0.1:${server.port}\n`);
