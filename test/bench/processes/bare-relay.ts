/*
 * The physical limit that the server is compared with: the runtime's own HTTP server, the agents on its sockets, and
 * a map of waiting callers. It checks, counts, logs and stores nothing. It knows only the parts of the agent
 * protocols that the bench's agents use. Prints its port, and ends with the process that started it.
 */
import { MODEL } from "../answers.ts";

interface SocketData {
  isV2: boolean;
}

type Socket = Bun.ServerWebSocket<SocketData>;

/** A streamed answer. What comes in one turn of the event loop is sent in one piece, as our server does. */
class Stream {
  #controller: ReadableStreamDefaultController<string> | undefined;
  #isBegun = false;
  #held = "";
  readonly body = new ReadableStream<string>({
    start: (controller) => {
      this.#controller = controller;
    },
    cancel: () => {
      this.#controller = undefined;
    },
  });

  delta(data: string): void {
    const event = `data: ${data}\n\n`;
    if (!this.#isBegun) this.#controller?.enqueue(event);
    else {
      if (this.#held === "") sendAtEndOfTurn(this);
      this.#held += event;
    }
    this.#isBegun = true;
  }

  release(): void {
    if (this.#held !== "") this.#controller?.enqueue(this.#held);
    this.#held = "";
  }

  end(): void {
    this.release();
    this.#controller?.close();
    this.#controller = undefined;
  }
}

/** The text of a streamed answer that the caller gets as a whole. */
class Collected {
  #text = "";

  constructor(private readonly settle: (body: string) => void) {}

  delta(data: string): void {
    if (data !== "[DONE]") this.#text += JSON.parse(data).choices[0].delta.content;
  }

  end(): void {
    const [response_id, conversation_id] = [crypto.randomUUID(), crypto.randomUUID()];
    this.settle(JSON.stringify({ id: "", response_id, conversation_id, content: this.#text, error: "" }));
  }
}

let waiting: Stream[] = [];

function sendAtEndOfTurn(stream: Stream): void {
  if (waiting.length === 0)
    setImmediate(() => {
      const streams = waiting;
      waiting = [];
      for (const held of streams) held.release();
    });
  waiting.push(stream);
}

const agents: Socket[] = [];
const whole = new Map<string, (body: string) => void>();
const streams = new Map<string, Stream | Collected>();
let asks = 0;

function choose(from: Socket[]): Socket {
  const socket = from[++asks % from.length];
  if (!socket) throw new Error("no agent");
  return socket;
}

const JSON_HEADERS = { headers: { "content-type": "application/json" } };

function wait(begin: (settle: (body: string) => void) => void): Promise<Response> {
  return new Promise((resolve) => begin((body) => resolve(new Response(body, JSON_HEADERS))));
}

/** Relays a question to an agent of either protocol. */
function question(body: string): Promise<Response> {
  const socket = choose(agents);
  const id = String(asks);
  if (!socket.data.isV2) {
    const data = `{"message_id":"","conversation_id":"","parent_id":"",${body.slice(1)}`;
    socket.sendText(JSON.stringify({ id, message: "ChatGptRequest", data }));
    return wait((settle) => whole.set(id, settle));
  }
  const messages = [{ role: "user", content: JSON.parse(body).content }];
  sendV2(socket, id, JSON.stringify({ model: MODEL, messages, stream: true }), true);
  return wait((settle) => streams.set(id, new Collected(settle)));
}

function completion(body: string): Response | Promise<Response> {
  const socket = choose(agents);
  const id = String(asks);
  const isStreamed = JSON.parse(body).stream === true;
  sendV2(socket, id, body, isStreamed);
  if (!isStreamed) return wait((settle) => whole.set(id, settle));
  const stream = new Stream();
  streams.set(id, stream);
  return new Response(stream.body, { headers: { "content-type": "text/event-stream" } });
}

function sendV2(socket: Socket, ask: string, body: string, stream: boolean): void {
  socket.sendText(JSON.stringify({ type: "ask", ask, endpoint: "chat/completions", stream, body }));
}

function settle(id: string, body: string): void {
  whole.get(id)?.(body);
  whole.delete(id);
}

function takeV2(socket: Socket, text: string): void {
  const frame = JSON.parse(text);
  if (frame.type === "delta") streams.get(frame.ask)?.delta(frame.data);
  else if (frame.type === "done" && frame.body !== undefined) settle(frame.ask, frame.body);
  else if (frame.type === "done") {
    streams.get(frame.ask)?.end();
    streams.delete(frame.ask);
  } else if (frame.type === "hello") {
    agents.push(socket);
    socket.sendText('{"type":"ready"}');
  }
}

function takeV1(socket: Socket, text: string): void {
  const { id, data } = JSON.parse(text);
  if (data === "") agents.push(socket);
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
    return request.url.endsWith("/api/ask") ? question(body) : completion(body);
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
      const index = agents.indexOf(socket);
      if (index >= 0) agents.splice(index, 1);
    },
  },
});

process.on("disconnect", () => process.exit());
process.stderr.write(`http://127.0.0.1:${server.port}\n`);
