import { completionOf, deltaOf, HELD_MS, STREAM_END, type Wish, wishOf } from "../answers.ts";

interface Stream {
  socket: WebSocket;
  ask: string;
  wish: Required<Wish>;
  tail: string;
  sent: number;
}

/** The asks whose caller has left. */
const cancelled = new Set<string>();

/** Streams without pauses: each sends a delta in every turn of the event loop, so that they interleave. */
const busy = new Set<Stream>();
let isPumping = false;

function pump(): void {
  for (const stream of busy) if (!advance(stream)) busy.delete(stream);
  isPumping = busy.size > 0;
  if (isPumping) setImmediate(pump);
}

/** How much may wait in this process if the server reads slowly. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;

/** Sends the next delta or the end, unless the socket is full. Returns false after the end. */
function advance(stream: Stream): boolean {
  const { socket, ask, wish, tail } = stream;
  if (socket.readyState !== WebSocket.OPEN || cancelled.delete(ask)) return false;
  if (socket.bufferedAmount > BUFFERED_BYTES_MAX) return true;
  const isEnd = stream.sent >= wish.deltas;
  const data = isEnd ? STREAM_END : deltaOf(wish.id, stream.sent++, tail, wish.padding);
  socket.send(JSON.stringify({ type: "delta", ask, data }));
  if (isEnd) socket.send(JSON.stringify({ type: "done", ask, status: 200 }));
  return !isEnd;
}

function startStream(stream: Stream): void {
  if (stream.wish.pauseMs === 0) {
    busy.add(stream);
    if (!isPumping) pump();
    return;
  }
  advance(stream);
  const timer = setInterval(() => {
    if (!advance(stream)) clearInterval(timer);
  }, stream.wish.pauseMs);
}

let large = Promise.resolve();

/** Sends a whole answer; long ones one after the other, so that this process does not hold them all. */
function answerWhole(socket: WebSocket, ask: string, { id, padding }: Required<Wish>): void {
  const send = () => {
    const done = { type: "done", ask, status: 200, body: completionOf(id, padding) };
    socket.send(JSON.stringify(done));
  };
  const sendLater = async () => {
    while (socket.bufferedAmount > BUFFERED_BYTES_MAX) await Bun.sleep(1);
    send();
  };
  if (padding === 0) send();
  else large = large.then(sendLater);
}

/** Sends the answers that wait to be finished, oldest first. */
const held: (() => void)[] = [];
let onHeld = () => {};

function after(pauseMs: number, run: () => void): void {
  if (pauseMs === 0) run();
  else if (pauseMs < HELD_MS) setTimeout(run, pauseMs);
  else {
    held.push(run);
    onHeld();
  }
}

/** Answers this many requests. Each frees a slot, so that the server sends a request that waits. */
export async function finishOldest(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const next = Promise.withResolvers<void>();
    onHeld = next.resolve;
    if (held.length > 0) next.resolve();
    await next.promise;
    held.shift()?.();
  }
}

/** Forgets the requests that wait, as their server has ended. */
export function forgetHeld(): void {
  held.length = 0;
}

/** Reacts to a frame of the server as an agent of protocol v2. */
export function answerV2(socket: WebSocket, text: string): void {
  const frame = JSON.parse(text);
  if (frame.type === "ping") socket.send('{"type":"pong"}');
  if (frame.type === "cancel") cancelled.add(frame.ask);
  if (frame.type !== "ask") return;
  const { ask, stream, body } = frame;
  const { messages, stream_options } = JSON.parse(body);
  const wish = wishOf(messages.at(-1).content);
  socket.send(JSON.stringify({ type: "accept", ask }));
  if (stream) {
    const tail = wish.usage && stream_options?.include_usage ? ',"usage":null' : "";
    startStream({ socket, ask, wish, tail, sent: 0 });
    return;
  }
  after(wish.pauseMs, () => answerWhole(socket, ask, wish));
}

/** Reacts to a frame of the server as an agent of protocol v1. */
export function answerV1(socket: WebSocket, text: string): void {
  const { id, message, data } = JSON.parse(text);
  if (message !== "ChatGptRequest") {
    // The frame is a hello or a ping.
    if (message !== "drain") socket.send(JSON.stringify({ id, message, data: "" }));
    return;
  }
  const { content, conversation_id } = JSON.parse(data);
  const answer = JSON.stringify({
    id,
    response_id: crypto.randomUUID(),
    conversation_id: conversation_id || newConversation(),
    content: `echo: ${content}`,
    error: "",
  });
  const frame = JSON.stringify({ id, message: "ChatGptResponse", data: answer });
  after(wishOf(content).pauseMs, () => socket.send(frame));
}

/** Returns an id like those of the ChatGPT site: the seconds since 1970, then random digits. */
function newConversation(): string {
  return Math.floor(Date.now() / 1000).toString(16) + crypto.randomUUID().slice(8);
}
