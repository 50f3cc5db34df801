/*
 * The physical limit that the server is compared with: the runtime's own HTTP server, the agents on its sockets, and
 * a map of waiting callers. It checks, counts, logs and stores nothing. It knows only the parts of the agent
 * protocols that the bench's agents use. Prints its port, and ends with the process that started it.
 */

interface SocketData {
  isV2: boolean;
}

type Socket = Bun.ServerWebSocket<SocketData>;

const agents: Record<"v1" | "v2", Socket[]> = { v1: [], v2: [] };
const whole = new Map<string, (body: string) => void>();
const streams = new Map<string, ReadableStreamDefaultController<string>>();
let asks = 0;

function choose(from: Socket[]): Socket {
  const socket = from[++asks % from.length];
  if (!socket) throw new Error("no agent");
  return socket;
}

function wait(id: string): Promise<Response> {
  return new Promise((resolve) =>
    whole.set(id, (body) => resolve(new Response(body, { headers: { "content-type": "application/json" } }))),
  );
}

function askV1(data: string): Promise<Response> {
  const socket = choose(agents.v1);
  const id = String(asks);
  socket.sendText(JSON.stringify({ id, message: "ChatGptRequest", data }));
  return wait(id);
}

function askV2(body: string): Response | Promise<Response> {
  const socket = choose(agents.v2);
  const ask = String(asks);
  const stream = JSON.parse(body).stream === true;
  socket.sendText(JSON.stringify({ type: "ask", ask, endpoint: "chat/completions", stream, body }));
  if (!stream) return wait(ask);
  const events = new ReadableStream<string>({
    start: (controller) => void streams.set(ask, controller),
    cancel: () => void streams.delete(ask),
  });
  return new Response(events, { headers: { "content-type": "text/event-stream" } });
}

function settle(id: string, body: string): void {
  whole.get(id)?.(body);
  whole.delete(id);
}

function takeV2(socket: Socket, text: string): void {
  const frame = JSON.parse(text);
  if (frame.type === "delta") streams.get(frame.ask)?.enqueue(`data: ${frame.data}\n\n`);
  else if (frame.type === "done" && frame.body !== undefined) settle(frame.ask, frame.body);
  else if (frame.type === "done") {
    streams.get(frame.ask)?.close();
    streams.delete(frame.ask);
  } else if (frame.type === "hello") {
    agents.v2.push(socket);
    socket.sendText('{"type":"ready"}');
  }
}

function takeV1(socket: Socket, text: string): void {
  const { id, data } = JSON.parse(text);
  if (data === "") agents.v1.push(socket);
  else settle(id, data);
}

const server = Bun.serve<SocketData>({
  port: 0,
  development: false,
  idleTimeout: 0,
  async fetch(request, self) {
    if (request.method === "GET") {
      const protocol = request.headers.get("sec-websocket-protocol");
      const headers: Record<string, string> = protocol ? { "sec-websocket-protocol": protocol } : {};
      if (self.upgrade(request, { data: { isV2: protocol !== null }, headers })) return;
      return new Response("OK");
    }
    const body = await request.text();
    return request.url.endsWith("/api/ask") ? askV1(body) : askV2(body);
  },
  websocket: {
    data: {} as SocketData,
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    open(socket) {
      if (!socket.data.isV2) socket.sendText('{"id":"hello","message":"Connection id","data":""}');
    },
    message(socket, message) {
      if (socket.data.isV2) takeV2(socket, String(message));
      else takeV1(socket, String(message));
    },
    close(socket) {
      const list = socket.data.isV2 ? agents.v2 : agents.v1;
      const index = list.indexOf(socket);
      if (index >= 0) list.splice(index, 1);
    },
  },
});

process.on("disconnect", () => process.exit());
process.stderr.write(`http://127.0.0.1:${server.port}\n`);
